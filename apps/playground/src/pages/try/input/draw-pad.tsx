import { Eraser, Undo2 } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Button } from "../../../ui/index.js";
import { hasPicture } from "../session.js";
import type { Point, Stroke } from "../strokes.js";
import { begin, clear, extend, isSample, showDrawing, strokes, undo } from "./drawing.js";

/** A sheet to draw a digit on: by mouse, pen or finger, or by the keyboard. */
export const DrawPad: FunctionComponent = () => {
  const help = useId();
  useEffect(() => {
    if (!hasPicture()) showDrawing();
  }, []);
  return (
    <div class="stack">
      <Sheet describedBy={help} />
      <div class="row spread">
        <div class="row">
          <Button onClick={undo} disabled={strokes.value.length === 0}>
            <Undo2 size={16} aria-hidden="true" /> Undo
          </Button>
          <Button onClick={clear} disabled={strokes.value.length === 0}>
            <Eraser size={16} aria-hidden="true" /> Clear
          </Button>
        </div>
      </div>
      <p id={help} class="small quiet">
        Draw one digit. By keyboard: arrows move the pen, Space puts it down and lifts it, Backspace undoes, Delete
        clears.
      </p>
    </div>
  );
};

const step = 0.04;
const arrows: Readonly<Record<string, Point>> = {
  ArrowLeft: [-step, 0],
  ArrowRight: [step, 0],
  ArrowUp: [0, -step],
  ArrowDown: [0, step],
};

const Sheet: FunctionComponent<{ readonly describedBy: string }> = ({ describedBy }) => {
  const sheet = useRef<HTMLDivElement>(null);
  /** The finger or button that draws. */
  const pointer = useRef<number>();
  const [pen, setPen] = useState<{ readonly at: Point; readonly down: boolean }>({ at: [0.3, 0.2], down: false });
  const pointsOf = (events: readonly PointerEvent[]): Point[] => {
    const { left, top, width, height } = (sheet.current as HTMLDivElement).getBoundingClientRect();
    return events.map(({ clientX, clientY }) => [clamp((clientX - left) / width), clamp((clientY - top) / height)]);
  };
  const press = (event: KeyboardEvent): void => {
    const by = arrows[event.key];
    if (by !== undefined) {
      const at: Point = [clamp(pen.at[0] + by[0]), clamp(pen.at[1] + by[1])];
      if (pen.down) extend([at]);
      setPen({ ...pen, at });
    } else if (event.key === " ") {
      if (!pen.down) begin(pen.at);
      setPen({ ...pen, down: !pen.down });
    } else if (event.key === "Backspace" || (event.key === "z" && (event.ctrlKey || event.metaKey))) undo();
    else if (event.key === "Delete") clear();
    else return;
    event.preventDefault();
  };
  return (
    <div
      ref={sheet}
      class="try-sheet"
      role="application"
      aria-roledescription="drawing area"
      aria-label="Drawing area"
      aria-describedby={describedBy}
      {...{ tabIndex: 0 }}
      onKeyDown={press}
      onPointerDown={(event) => {
        if (event.button !== 0 || pointer.current !== undefined) return;
        pointer.current = event.pointerId;
        event.currentTarget.setPointerCapture(event.pointerId);
        setPen({ ...pen, down: false });
        begin(pointsOf([event])[0] as Point);
      }}
      onPointerMove={(event) => {
        if (event.pointerId !== pointer.current) return;
        const all = event.getCoalescedEvents();
        extend(pointsOf(all.length > 0 ? all : [event]));
      }}
      onPointerUp={() => {
        pointer.current = undefined;
      }}
      onPointerCancel={() => {
        pointer.current = undefined;
      }}
    >
      <svg viewBox="0 0 1 1" aria-hidden="true" class={isSample.value ? "sample" : ""}>
        {strokes.value.map((stroke, i) => (
          <path key={i} d={pathOf(stroke)} />
        ))}
        <circle class={`try-pen ${pen.down ? "down" : ""}`} cx={pen.at[0]} cy={pen.at[1]} r="0.035" />
      </svg>
      <span class="visually-hidden" role="status">
        {pen.down ? "Pen down" : "Pen lifted"}
      </span>
    </div>
  );
};

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

/** A stroke of one point is a dot: a line of no length with round ends. */
function pathOf(stroke: Stroke): string {
  const [first, ...rest] = stroke.map(([x, y]) => `${x.toFixed(4)} ${y.toFixed(4)}`);
  return `M${first} L${rest.length === 0 ? first : rest.join(" L")}`;
}
