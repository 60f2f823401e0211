import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** A line under way. */
export interface Drag {
  readonly from: number;
  /** Where it would come to stand. */
  readonly to: number;
  /** Pixels that the pointer has gone. */
  readonly by: number;
}

/** Where a line comes to stand that is let go at `y`: behind the others whose middle is above. @param middles of all lines, in pixels */
export const placeAt = (y: number, from: number, middles: readonly number[]): number =>
  middles.filter((middle, i) => i !== from && middle < y).length;

/** Near the window's border, the page moves on. */
const border = 48;

/**
 * Lines of a list moved by mouse, pen or finger; who has none of them needs other ways to do it.
 * @param list whose first `count` children are the lines
 */
export function useDrag(list: RefObject<HTMLElement>, count: number, move: (from: number, to: number) => void) {
  const [drag, setDrag] = useState<Drag>();
  /** Of the pointer, from the list's top: the page may be scrolled meanwhile. */
  const began = useRef(0);
  const below = (y: number): number => y - (list.current as HTMLElement).getBoundingClientRect().top;
  const at = (from: number, y: number): Drag => {
    const lines = Array.from((list.current as HTMLElement).children).slice(0, count);
    const middles = lines.map((line) => {
      const { top, height } = line.getBoundingClientRect();
      return top + height / 2;
    });
    return { from, to: placeAt(y, from, middles), by: below(y) - began.current };
  };
  useEffect(() => {
    if (drag === undefined) return;
    const cancel = ({ key }: KeyboardEvent): void => {
      if (key === "Escape") setDrag(undefined);
    };
    addEventListener("keydown", cancel);
    return () => removeEventListener("keydown", cancel);
  }, [drag === undefined]);
  /** What the place gets that a line is taken by. */
  const gripOf = (from: number) => ({
    onPointerDown: (event: PointerEvent): void => {
      if (event.button !== 0) return;
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
      began.current = below(event.clientY);
      setDrag({ from, to: from, by: 0 });
    },
    onPointerMove: ({ clientY }: PointerEvent): void => {
      if (drag?.from !== from) return;
      if (clientY < border) scrollBy(0, -border / 4);
      else if (clientY > innerHeight - border) scrollBy(0, border / 4);
      setDrag(at(from, clientY));
    },
    onPointerUp: ({ clientY }: PointerEvent): void => {
      if (drag?.from !== from) return;
      const { to } = at(from, clientY);
      setDrag(undefined);
      if (to !== from) move(from, to);
    },
    onPointerCancel: () => setDrag(undefined),
  });
  return { drag, gripOf };
}
