import type { Arrangement } from "@ocelli/inspect/graph";
import { Component, type ComponentChildren, type FunctionComponent } from "preact";
import type { AnalysedBox } from "../../../workers/analysis/api.js";
import { arrowPaths } from "./arrows.js";
import { levelsOf } from "./tree.js";

type Placed = Arrangement["boxes"][number];

interface PictureProps {
  readonly title: string;
  readonly boxes: readonly AnalysedBox[];
  readonly arrangement: Arrangement;
  /** The one box that Tab reaches. */
  readonly current: number;
  readonly onPoint: (box: number | undefined) => void;
  readonly onChoose: (box: number) => void;
  readonly onToggle: (box: number) => void;
  readonly onKey: (event: KeyboardEvent, box: number) => void;
}

/** Boxes and arrows. It is drawn anew only when they change: marks lie above it. */
export class Picture extends Component<PictureProps> {
  override shouldComponentUpdate(next: PictureProps): boolean {
    const { boxes, arrangement, current } = this.props;
    return next.boxes !== boxes || next.arrangement !== arrangement || next.current !== current;
  }

  override render({ title, boxes, arrangement, current, ...events }: PictureProps): ComponentChildren {
    const levels = levelsOf(boxes);
    // Blocks before what they hold: what is inside lies above.
    const placed = [...arrangement.boxes].sort((a, b) => a.box - b.box);
    const { lines, heads } = arrowPaths(arrangement.arrows);
    return (
      <>
        <g role="tree" aria-label={`Layers of ${title}`} onPointerLeave={() => events.onPoint(undefined)}>
          {placed.map((at) => (
            <Box
              key={at.box}
              {...{ at, ...events }}
              box={boxes[at.box] as AnalysedBox}
              level={levels[at.box] as number}
              reached={at.box === current}
            />
          ))}
        </g>
        <path class="graph-arrows" d={lines} />
        <path class="graph-heads" d={heads} />
        {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a group of shapes is not focusable; the boxes say all this. */}
        <g class="graph-over" aria-hidden="true">
          {arrangement.arrows.map(({ points: [[x, y] = [0, 0]], label }, i) =>
            label === "" ? null : (
              <text key={i} class="halo shape-label" x={x + 6} y={y + 13}>
                {label}
              </text>
            ),
          )}
          {placed.map((at) => {
            const Words = at.open ? Heading : Caption;
            return <Words key={at.box} at={at} box={boxes[at.box] as AnalysedBox} />;
          })}
        </g>
        {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a group of shapes is not focusable; the boxes say all this. */}
        <g aria-hidden="true">
          {placed.map((at) =>
            boxes[at.box]?.plan === null ? null : <Sign key={at.box} at={at} onToggle={events.onToggle} />,
          )}
        </g>
      </>
    );
  }
}

interface BoxProps extends Pick<PictureProps, "onPoint" | "onChoose" | "onToggle" | "onKey"> {
  readonly at: Placed;
  readonly box: AnalysedBox;
  readonly level: number;
  readonly reached: boolean;
}

const rounded: ReadonlySet<string> = new Set(["input", "output", "join", "function"]);

const Box: FunctionComponent<BoxProps> = ({ at, box, level, reached, onPoint, onChoose, onToggle, onKey }) => {
  const { x, y, w, h, open } = at;
  const { kind, plan, about } = box;
  const rx = open ? 10 : rounded.has(kind) ? Math.min(h / 2, 14) : 6;
  const look = open ? undefined : { fill: `var(--${kind}-fill)`, stroke: `var(--${kind}-stroke)` };
  return (
    <g
      class={`graph-box ${open ? "open" : ""}`}
      role="treeitem"
      data-box={at.box}
      // Attributes of SVG are written as they are: `tabIndex` would be none.
      tabindex={reached ? 0 : -1}
      aria-level={level}
      aria-label={about.replaceAll("\n", ", ")}
      aria-selected={reached}
      {...(plan !== null && { "aria-expanded": open })}
      onPointerEnter={() => onPoint(at.box)}
      onClick={() => onChoose(at.box)}
      onDblClick={() => (plan === null ? undefined : onToggle(at.box))}
      onKeyDown={(event) => onKey(event, at.box)}
    >
      {plan !== null && !open ? <rect x={x + 4} y={y + 4} width={w} height={h} rx={rx} style={look} /> : null}
      <rect {...{ x, y, rx }} width={w} height={h} style={look} />
    </g>
  );
};

interface WordsProps {
  readonly at: Placed;
  readonly box: AnalysedBox;
}

/** What stands on a closed box. */
const Caption: FunctionComponent<WordsProps> = ({ at: { x, y, w, h }, box: { title, lines } }) => (
  <>
    {[title, ...lines].map((line, i) => (
      <text
        key={line}
        class={i === 0 ? "box-title middle" : "box-line middle"}
        x={x + w / 2}
        y={y + h / 2 + 4.5 + (i - lines.length / 2) * 15}
      >
        {line}
      </text>
    ))}
  </>
);

const Heading: FunctionComponent<WordsProps> = ({ at, box }) => (
  <text class="box-title halo" x={at.x + 12} y={at.y + 18}>
    {box.title}
    <tspan class="box-line" dx="8" style={{ fontWeight: 400 }}>
      {box.lines[0] ?? ""}
    </tspan>
  </text>
);

/** Opens and closes by a pointer; keys do it on the box itself. */
const Sign: FunctionComponent<{ readonly at: Placed; readonly onToggle: (box: number) => void }> = ({
  at,
  onToggle,
}) => (
  // biome-ignore lint/a11y/noStaticElementInteractions: a target for pointers; the box is the tree's item.
  <g class="graph-sign" onClick={() => onToggle(at.box)}>
    <rect x={at.x + at.w - 26} y={at.y} width={26} height={26} rx={6} />
    <text x={at.x + at.w - 13} y={at.y + 18}>
      {at.open ? "−" : "+"}
    </text>
  </g>
);
