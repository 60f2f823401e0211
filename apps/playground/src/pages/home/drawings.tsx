// Drawings of the start page, made by hand: lines in the text's quiet colour, and the accent where one should look.
import type { ComponentChildren, FunctionComponent } from "preact";

const Drawing: FunctionComponent<{
  readonly box: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}> = ({ box, class: extra = "home-drawing", children }) => (
  <svg class={extra} viewBox={box} aria-hidden="true">
    {children}
  </svg>
);

/** A residual block: two layers, and the way round them. */
export const ArchitecturesDrawing: FunctionComponent = () => (
  <Drawing box="0 0 160 100">
    <path class="line" d="M14 50H34M66 50H76M108 50H118M134 50H148" />
    <path class="accent line" d="M24 50C24 8 126 8 126 42" />
    <rect class="sheet" x="34" y="34" width="32" height="32" rx="5" />
    <rect class="sheet" x="76" y="34" width="32" height="32" rx="5" />
    <path class="line thin" d="M43 45H57M43 50H57M43 55H57M85 45H99M85 50H99M85 55H99" />
    <circle class="accent fill" cx="126" cy="50" r="8" />
    <path class="on-accent line" d="M122.5 50H129.5M126 46.5V53.5" />
    <circle class="dot" cx="14" cy="50" r="3" />
    <path class="line" d="M144 46L149 50L144 54" />
  </Drawing>
);

/** A loss that falls, an accuracy that rises. */
export const TrainDrawing: FunctionComponent = () => (
  <Drawing box="0 0 160 100">
    <path class="line thin" d="M20 26H148M20 44H148M20 62H148" opacity="0.5" />
    <path class="line" d="M20 12V80H148" />
    <path class="second line" d="M22 20C34 56 46 58 60 64S92 72 142 74" />
    <path class="accent line" d="M22 76C32 40 48 36 66 30S100 22 134 20" />
    <circle class="accent fill" cx="134" cy="20" r="4.5" />
  </Drawing>
);

/** A seven, as a hand draws it, and the answer. */
export const TryDrawing: FunctionComponent = () => (
  <Drawing box="0 0 160 100">
    <rect class="sheet" x="16" y="18" width="64" height="64" rx="6" />
    <path class="ink line thick" d="M32 35C42 33 54 34 63 32C58 44 50 56 46 70" />
    <rect class="fill faint" x="96" y="27" width="18" height="7" rx="3.5" />
    <rect class="accent fill" x="96" y="40" width="48" height="7" rx="3.5" />
    <rect class="fill faint" x="96" y="53" width="11" height="7" rx="3.5" />
    <rect class="fill faint" x="96" y="66" width="6" height="7" rx="3.5" />
  </Drawing>
);

const seven = [0, 1, 2, 3, 4, 5, 6];
const grid = seven.flatMap((y) => seven.map((x) => ({ x, y })));

/** What one 7x7 sees, and three 3x3 in a row: 3, then 5, then 7 wide. */
export const LessonsDrawing: FunctionComponent = () => (
  <Drawing box="0 0 160 100">
    {grid.map(({ x, y }) => {
      const ring = Math.max(Math.abs(x - 3), Math.abs(y - 3));
      return (
        <rect
          key={`${x} ${y}`}
          class="accent fill"
          opacity={[1, 0.85, 0.45, 0.18][ring]}
          x={46 + x * 10}
          y={16 + y * 10}
          width="8.5"
          height="8.5"
          rx="1.5"
        />
      );
    })}
  </Drawing>
);

/** A file on its way out. */
export const TakeAwayDrawing: FunctionComponent = () => (
  <Drawing box="0 0 160 100">
    <path class="sheet" d="M52 12H92L108 28V72H52Z" />
    <path class="line" d="M92 12V28H108" />
    <path class="line thin" d="M62 38H88M62 47H80" />
    <path class="line" d="M36 66V88H124V66" />
    <path class="accent line thick" d="M80 46V74M70 65L80 75L90 65" />
  </Drawing>
);

const strokes = [
  "..........",
  ".########.",
  ".########.",
  "......###.",
  ".....###..",
  ".....##...",
  "....###...",
  "...###....",
  "...##.....",
  "..........",
];

/** From a picture over maps that get smaller and more to ten classes, of which one is right. */
export const NetworkDrawing: FunctionComponent = () => (
  <Drawing box="0 0 520 200" class="home-network">
    <g>
      <rect class="sheet" x="10" y="50" width="104" height="104" rx="6" />
      {strokes.flatMap((row, y) =>
        [...row].map((cell, x) =>
          cell === "." ? null : (
            <rect
              key={`${x} ${y}`}
              class="ink fill"
              x={13 + x * 10}
              y={53 + y * 10}
              width="8.5"
              height="8.5"
              rx="1.5"
            />
          ),
        ),
      )}
    </g>
    <rect class="accent line" x="62" y="72" width="30" height="30" rx="3" />
    <Maps x={158} y={46} size={84} count={4} gap={11} />
    <path class="accent line thin" d="M92 72L178 84M92 102L178 98" />
    <rect class="accent line" x="178" y="84" width="14" height="14" rx="2" />
    <path class="line thin" d="M283 102H300" />
    <Maps x={304} y={64} size={48} count={7} gap={8} />
    <path class="line thin" d="M408 102H424" />
    {Array.from({ length: 10 }, (_, i) => (
      <circle key={i} class={i === 7 ? "accent fill" : "fill faint"} cx="440" cy={30 + i * 16} r={i === 7 ? 7 : 5} />
    ))}
    <path class="accent line" d="M454 142H472" />
    <text class="accent fill" x="482" y="150">
      7
    </text>
  </Drawing>
);

interface MapsProps {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly count: number;
  readonly gap: number;
}

/** Feature maps, one behind the other. */
const Maps: FunctionComponent<MapsProps> = ({ x, y, size, count, gap }) => (
  <>
    {Array.from({ length: count }, (_, i) => count - 1 - i).map((i) => (
      <rect key={i} class="sheet" x={x + i * gap} y={y + 28 - i * gap * 0.6} width={size} height={size} rx="5" />
    ))}
  </>
);
