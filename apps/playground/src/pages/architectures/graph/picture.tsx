import type { Arrangement } from "@ocelli/inspect/graph";
import { Component, type ComponentChildren, type FunctionComponent } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { piecesOf, useGradually } from "../../../ui/gradually.js";
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

/** Boxes that are drawn at once without anybody waiting. */
const piece = 30;

/** A part of the picture: so many boxes, and the arrows that are drawn along with them. */
interface Part {
  readonly placed: readonly Placed[];
  readonly arrows: Arrangement["arrows"];
  readonly boxes: readonly AnalysedBox[];
  readonly levels: readonly number[];
}

function partsOf(boxes: readonly AnalysedBox[], arrangement: Arrangement): readonly Part[] {
  const levels = levelsOf(boxes);
  // Blocks before what they hold: what is inside lies above.
  const placed = piecesOf(
    [...arrangement.boxes].sort((a, b) => a.box - b.box),
    piece,
  );
  const arrows = piecesOf(arrangement.arrows, Math.ceil(arrangement.arrows.length / Math.max(1, placed.length)));
  return placed.map((some, i) => ({ placed: some, arrows: arrows[i] ?? [], boxes, levels }));
}

type Events = Pick<PictureProps, "onPoint" | "onChoose" | "onToggle" | "onKey">;

/** Boxes and arrows, part by part. A part is drawn anew only when it changes: marks lie above it. */
export const Picture: FunctionComponent<PictureProps> = ({ title, boxes, arrangement, current, ...events }) => {
  const heard = useRef<Events>(events);
  heard.current = events;
  const parts = useGradually(
    useMemo(() => partsOf(boxes, arrangement), [boxes, arrangement]),
    boxes,
  );
  return (
    <>
      <g role="tree" aria-label={`Layers of ${title}`} onPointerLeave={() => events.onPoint(undefined)}>
        {parts.map((part, i) => (
          <Boxes key={i} {...{ part, heard }} reached={part.placed.some(({ box }) => box === current) ? current : -1} />
        ))}
      </g>
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a group of shapes is not focusable; the boxes say all this. */}
      <g class="graph-over" aria-hidden="true">
        {parts.map((part, i) => (
          <Arrows key={i} part={part} />
        ))}
        {parts.map((part, i) => (
          <Words key={i} part={part} />
        ))}
      </g>
      {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: a group of shapes is not focusable; the boxes say all this. */}
      <g aria-hidden="true">
        {parts.map((part, i) => (
          <Signs key={i} {...{ part, heard }} />
        ))}
      </g>
    </>
  );
};

interface PartProps {
  readonly part: Part;
}

interface HeardProps extends PartProps {
  /** Who listens now. */
  readonly heard: { readonly current: Events };
}

/** Drawn anew only with another part. */
abstract class OfPart<Props extends PartProps> extends Component<Props> {
  override shouldComponentUpdate({ part }: Props): boolean {
    return part !== this.props.part;
  }
}

interface BoxesProps extends HeardProps {
  /** The box that Tab reaches, or -1: another part has it. */
  readonly reached: number;
}

class Boxes extends OfPart<BoxesProps> {
  override shouldComponentUpdate(next: BoxesProps): boolean {
    return next.reached !== this.props.reached || super.shouldComponentUpdate(next);
  }

  override render({ part: { placed, boxes, levels }, reached, heard }: BoxesProps): ComponentChildren {
    return placed.map((at) => (
      <Box
        key={at.box}
        {...{ at, heard }}
        box={boxes[at.box] as AnalysedBox}
        level={levels[at.box] as number}
        reached={at.box === reached}
      />
    ));
  }
}

class Arrows extends OfPart<PartProps> {
  override render({ part: { arrows } }: PartProps): ComponentChildren {
    const { lines, heads } = arrowPaths(arrows);
    return (
      <>
        <path class="graph-arrows" d={lines} />
        <path class="graph-heads" d={heads} />
        {arrows.map(({ points: [[x, y] = [0, 0]], label }, i) =>
          label === "" ? null : (
            <text key={i} class="halo shape-label" x={x + 6} y={y + 13}>
              {label}
            </text>
          ),
        )}
      </>
    );
  }
}

class Words extends OfPart<PartProps> {
  override render({ part: { placed, boxes } }: PartProps): ComponentChildren {
    return placed.map((at) => {
      const On = at.open ? Heading : Caption;
      return <On key={at.box} at={at} box={boxes[at.box] as AnalysedBox} />;
    });
  }
}

/** Opens and closes by a pointer; keys do it on the box itself. */
class Signs extends OfPart<HeardProps> {
  override render({ part: { placed, boxes }, heard }: HeardProps): ComponentChildren {
    return placed.map((at) =>
      boxes[at.box]?.plan === null ? null : (
        // biome-ignore lint/a11y/noStaticElementInteractions: a target for pointers; the box is the tree's item.
        <g key={at.box} class="graph-sign" onClick={() => heard.current.onToggle(at.box)}>
          <rect x={at.x + at.w - 26} y={at.y} width={26} height={26} rx={6} />
          <text x={at.x + at.w - 13} y={at.y + 18}>
            {at.open ? "−" : "+"}
          </text>
        </g>
      ),
    );
  }
}

interface BoxProps extends Pick<HeardProps, "heard"> {
  readonly at: Placed;
  readonly box: AnalysedBox;
  readonly level: number;
  readonly reached: boolean;
}

const rounded: ReadonlySet<string> = new Set(["input", "output", "join", "function"]);

const Box: FunctionComponent<BoxProps> = ({ at, box, level, reached, heard }) => {
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
      onPointerEnter={() => heard.current.onPoint(at.box)}
      onClick={() => heard.current.onChoose(at.box)}
      onDblClick={() => (plan === null ? undefined : heard.current.onToggle(at.box))}
      onKeyDown={(event) => heard.current.onKey(event, at.box)}
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
