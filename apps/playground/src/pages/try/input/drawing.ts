import { computed, signal } from "@preact/signals";
import { show } from "../session.js";
import { digitOf, type Point, type Stroke } from "../strokes.js";

/** A two, so that there is something to see at once; the first stroke takes its place. */
const sample: readonly Stroke[] = [
  [
    ...Array.from({ length: 13 }, (_, i): Point => {
      const angle = Math.PI * (1 - i / 10);
      return [0.5 + 0.18 * Math.cos(angle), 0.37 - 0.17 * Math.sin(angle)];
    }),
    [0.32, 0.76],
    [0.72, 0.76],
  ],
];

const drawn = signal<readonly Stroke[]>(sample);
export const strokes = computed(() => drawn.value);
export const isSample = computed(() => drawn.value === sample);

let waiting = false;

/** Shows the drawing once a frame, however often the pen moves. */
function tell(): void {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    showDrawing();
  });
}

export function showDrawing(): void {
  const { value } = drawn;
  show(value.length === 0 ? undefined : { kind: "grey", pixels: digitOf(value), drawn: true });
}

function change(strokesNow: readonly Stroke[]): void {
  drawn.value = strokesNow;
  tell();
}

/** Puts the pen down. */
export function begin(point: Point): void {
  change([...(isSample.value ? [] : drawn.value), [point]]);
}

/** Moves the pen that is down. */
export function extend(points: readonly Point[]): void {
  const last = drawn.value.at(-1);
  if (last !== undefined && points.length > 0) change([...drawn.value.slice(0, -1), [...last, ...points]]);
}

export const undo = (): void => change(drawn.value.slice(0, -1));
export const clear = (): void => change([]);
