import { useEffect, useRef, useState } from "preact/hooks";

/** A long list on its way into the page. */
export interface Drawing<Part> {
  /** What is to be drawn in the end. */
  readonly parts: readonly Part[];
  /** Of another subject, nothing that was drawn before stays. */
  readonly subject: unknown;
  /** So many of them are drawn. */
  readonly done: number;
  /** What was drawn before, and stands there until its place's turn comes. */
  readonly before: readonly Part[];
}

/** What a drawing goes on from when it is asked for these parts. */
export function follow<Part>(
  drawing: Drawing<Part> | undefined,
  parts: readonly Part[],
  subject: unknown,
): Drawing<Part> {
  if (drawing === undefined || drawing.subject !== subject) return { parts, subject, done: 1, before: [] };
  return drawing.parts === parts ? drawing : { parts, subject, done: 1, before: drawnOf(drawing) };
}

/** What is in the page now. */
export const drawnOf = <Part>({ parts, done, before }: Drawing<Part>): readonly Part[] => [
  ...parts.slice(0, done),
  ...before.slice(done, parts.length),
];

/**
 * Draws what is long part by part, each in a task of its own, so that the page answers in between. Hand in the same array as long as nothing
 * changes. @param subject what the parts are of: those of another one begin at an empty place
 */
export function useGradually<Part>(parts: readonly Part[], subject?: unknown): readonly Part[] {
  const kept = useRef<Drawing<Part>>();
  const [, draw] = useState(0);
  const drawing = follow(kept.current, parts, subject);
  kept.current = drawing;
  // Effects run after the page was painted.
  useEffect(() => {
    if (kept.current !== drawing || drawing.done >= parts.length) return;
    kept.current = { ...drawing, done: drawing.done + 1 };
    draw((drawn) => drawn + 1);
  });
  return drawnOf(drawing);
}

/** A list in pieces of one size; the last may be shorter. */
export const piecesOf = <Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
