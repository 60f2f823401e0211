import type { AnalysedBox } from "../../../workers/analysis/api.js";

/** What a key does in a tree of boxes, after the ARIA pattern. */
export type TreeMove = { readonly to: number } | { readonly open: number } | { readonly close: number };

interface Tree {
  readonly boxes: readonly Pick<AnalysedBox, "id" | "parent" | "plan">[];
  /** Places of those that are drawn, in the order of the graph. */
  readonly shown: readonly number[];
  readonly open: ReadonlySet<number>;
}

/** Up and down go through all that is drawn; right opens a block or goes into it, left closes it or goes out of it. */
export function moveInTree(key: string, at: number, { boxes, shown, open }: Tree): TreeMove | undefined {
  const place = shown.indexOf(at);
  const box = boxes[at];
  if (box === undefined || place < 0) return undefined;
  const to = (next: number | undefined): TreeMove | undefined => (next === undefined ? undefined : { to: next });
  const parent = boxes.findIndex(({ id }) => id === box.parent);
  const moves: Readonly<Record<string, () => TreeMove | undefined>> = {
    ArrowDown: () => to(shown[place + 1]),
    ArrowUp: () => to(shown[place - 1]),
    Home: () => to(shown[0]),
    End: () => to(shown.at(-1)),
    ArrowRight: () => {
      if (box.plan === null) return undefined;
      return open.has(at) ? to(shown[place + 1]) : { open: at };
    },
    ArrowLeft: () => {
      if (open.has(at)) return { close: at };
      return parent < 0 ? undefined : { to: parent };
    },
  };
  return moves[key]?.();
}

/** How many blocks a box stands in, from 1. */
export function levelsOf(boxes: readonly Pick<AnalysedBox, "id" | "parent">[]): readonly number[] {
  const levels = new Map<string, number>();
  return boxes.map(({ id, parent }) => {
    const level = parent === null ? 1 : (levels.get(parent) ?? 0) + 1;
    levels.set(id, level);
    return level;
  });
}
