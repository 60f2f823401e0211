import "./race-map.css";
import type { FunctionComponent } from "preact";
import { useMemo } from "preact/hooks";
import { isDark } from "../../../theme.js";
import { Pixels } from "../../../ui/index.js";
import { contours } from "./contours.js";
import type { Frame } from "./experiment.js";
import { racers } from "./racers.js";
import type { Surface } from "./surfaces.js";

interface RaceMapProps {
  readonly surface: Surface;
  readonly frames: readonly Frame[];
}

/** The surface from above, more coloured where it is lower, with the ways that were taken. */
export const RaceMap: FunctionComponent<RaceMapProps> = ({ surface, frames }) => {
  const map = frames[0]?.map;
  const dark = isDark();
  const rgba = useMemo(() => map && contours(map.heights, dark), [map, dark]);
  const { x, y, minima, start } = surface;
  const width = x[1] - x[0];
  const height = y[1] - y[0];
  // In a square of 100 by 100, whatever the surface's own bounds.
  const place = ([px, py]: readonly [number, number]): readonly [number, number] => [
    (100 * (px - x[0])) / width,
    (100 * (y[1] - py)) / height,
  ];
  return (
    <div class="stack">
      <h3>{surface.title}</h3>
      <div class="race-map">
        {map === undefined || rgba === undefined ? (
          <p class="quiet">Start the race, and the surface is drawn here.</p>
        ) : (
          <Pixels label="" rgba={rgba} width={map.side} height={map.side} />
        )}
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label={describe(surface, frames)}>
          {racers.map(({ title }, i) => (
            <polyline key={title} points={pathOf(frames, i, place)} style={{ stroke: `var(--series-${i + 1})` }} />
          ))}
        </svg>
        {minima.map((minimum) => (
          <Mark key={minimum.join()} at={place(minimum)} class="minimum" />
        ))}
        <Mark at={place(start)} class="start" />
        {racers.map(({ title }, i) => {
          const position = frames.at(-1)?.positions?.[i];
          return position === undefined ? null : (
            <Mark key={title} at={place(position)} class="racer" colour={`var(--series-${i + 1})`} />
          );
        })}
      </div>
      <ul class="race-legend small" aria-hidden="true">
        {racers.map(({ title }, i) => (
          <li key={title}>
            <span style={{ background: `var(--series-${i + 1})` }} />
            {title}
          </li>
        ))}
        <li>
          <span class="race-cross">+</span>
          lowest point
        </li>
      </ul>
    </div>
  );
};

const Mark: FunctionComponent<{
  readonly at: readonly [number, number];
  readonly class: string;
  readonly colour?: string;
}> = ({ at: [left, top], class: kind, colour }) =>
  left < 0 || left > 100 || top < 0 || top > 100 || !Number.isFinite(left + top) ? null : (
    <span
      class={`race-mark ${kind}`}
      style={{ left: `${left}%`, top: `${top}%`, background: colour }}
      aria-hidden="true"
    />
  );

/** Far outside there is nothing to see, and numbers that no picture takes. */
const bounded = (n: number): number => Math.min(1000, Math.max(-1000, n));

function pathOf(
  frames: readonly Frame[],
  racer: number,
  place: (position: readonly [number, number]) => readonly [number, number],
): string {
  return frames
    .flatMap(({ positions }) => {
      const position = positions?.[racer];
      if (position === undefined || !Number.isFinite(position[0] + position[1])) return [];
      return [
        place(position)
          .map((n) => bounded(n).toFixed(2))
          .join(),
      ];
    })
    .join(" ");
}

function describe({ title, minima }: Surface, frames: readonly Frame[]): string {
  const step = frames.at(-1)?.step ?? 0;
  const places = minima.map((minimum) => minimum.map((n) => n.toFixed(1)).join(", ")).join(" and ");
  return `${title} from above, lowest at ${places}. Ways of the optimizers after ${step} steps; the table below has their positions.`;
}
