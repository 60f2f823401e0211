import "./maps.css";
import type { FunctionComponent } from "preact";
import type { Design } from "./experiment.js";

interface MapsProps {
  readonly design: Design;
  /** From which layer's output one looks back: 1 is the first. */
  readonly from: number;
  /** Height and width of the maps, in pixels. */
  readonly side: number;
}

/** The input and every map behind it, with what one pixel of a chosen map is computed from. */
export const Maps: FunctionComponent<MapsProps> = ({ design, from, side }) => {
  const seen = regions(design, from);
  return (
    <div class="field-maps">
      {seen.map((size, i) => (
        <figure key={`${i}`}>
          <Grid side={side} size={size} />
          <figcaption class="small">
            {i === 0 ? "Input" : `After ${design.layers[i - 1]?.kernel}x${design.layers[i - 1]?.kernel}, layer ${i}`}
            <strong class="figures">{size === 0 ? "not used" : `${size} × ${size}`}</strong>
          </figcaption>
        </figure>
      ))}
    </div>
  );
};

/**
 * Height of what a pixel behind layer `from` is computed from, on the input and on each map; 0 on maps behind it. With stride 1, the fields of
 * pixels that are n apart are n apart.
 */
export function regions({ layers }: Pick<Design, "layers">, from: number): number[] {
  const fields = [1, ...layers.map(({ field }) => field)];
  const looked = fields[from] as number;
  return fields.map((field, i) => (i > from ? 0 : looked - field + 1));
}

const Grid: FunctionComponent<{ readonly side: number; readonly size: number }> = ({ side, size }) => {
  const start = (side - size) / 2;
  const inside = (at: number): boolean => at >= start && at < start + size;
  const places = Array.from({ length: side * side }, (_, i) => [i % side, Math.floor(i / side)] as const);
  return (
    <svg viewBox={`0 0 ${side} ${side}`} aria-hidden="true">
      {places.map(([x, y]) => (
        <rect
          key={`${x} ${y}`}
          {...{ x, y }}
          width={0.92}
          height={0.92}
          class={inside(x) && inside(y) ? "in" : "out"}
        />
      ))}
    </svg>
  );
};

interface InfluenceProps {
  readonly name: string;
  readonly values: readonly number[];
  readonly side: number;
}

/** How strongly the middle output pixel depends on each input pixel: the stronger the colour, the more. */
export const Influence: FunctionComponent<InfluenceProps> = ({ name, values, side }) => (
  <figure class="field-influence">
    <svg
      viewBox={`0 0 ${side} ${side}`}
      role="img"
      aria-label={`${name}: corner of the field ${corner(values, side)} of the strongest pixel`}
    >
      {values.map((value, i) => (
        <rect
          key={`${i % side} ${Math.floor(i / side)}`}
          x={i % side}
          y={Math.floor(i / side)}
          width={0.92}
          height={0.92}
          class={value > 0 ? "in" : "out"}
          fill-opacity={value > 0 ? value : 1}
        />
      ))}
    </svg>
    <figcaption class="small">{name}</figcaption>
  </figure>
);

/** Mean of the four corners of the 7×7 field, as a share of the strongest pixel. */
export function cornerShare(values: readonly number[], side: number): number {
  const [low, high] = [(side - 7) / 2, (side + 7) / 2 - 1];
  const corners = [low, high].flatMap((y) => [low, high].map((x) => values[y * side + x] as number));
  return corners.reduce((a, b) => a + b) / corners.length;
}

const corner = (values: readonly number[], side: number): string => `${Math.round(100 * cornerShare(values, side))} %`;
