export interface Disc {
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly r: number;
}

export type Side = "right" | "left" | "top" | "bottom" | "inside";

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const [letter, height, distance] = [6.1, 13, 3];

function boxOf({ label, x, y, r }: Disc, side: Side): Box {
  const w = letter * label.length;
  const [cx, cy] = {
    right: [x + r + distance + w / 2, y],
    left: [x - r - distance - w / 2, y],
    top: [x, y - r - distance - height / 2],
    bottom: [x, y + r + distance + height / 2],
    inside: [x, y],
  }[side] as [number, number];
  return { left: cx - w / 2, right: cx + w / 2, top: cy - height / 2, bottom: cy + height / 2 };
}

const overlap = (a: Box, b: Box): number =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

/**
 * A side for each disc's label on which it covers no other label and little of other discs; null where there is none. Small discs choose
 * first: large ones have room inside.
 */
export function placeLabels(discs: readonly Disc[], frame: Box): (Side | null)[] {
  const taken: Box[] = [];
  const sides: (Side | null)[] = discs.map(() => null);
  const bounds = discs.map(({ x, y, r }): Box => ({ left: x - r, right: x + r, top: y - r, bottom: y + r }));
  const order = discs.map((_, i) => i).sort((a, b) => (discs[a] as Disc).r - (discs[b] as Disc).r);
  for (const i of order) {
    const disc = discs[i] as Disc;
    const options: readonly Side[] =
      2 * disc.r > letter * disc.label.length
        ? ["inside", "right", "left", "top", "bottom"]
        : ["right", "left", "top", "bottom"];
    let best: { side: Side; box: Box; cost: number } | undefined;
    for (const [rank, side] of options.entries()) {
      const box = boxOf(disc, side);
      const outside =
        box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom;
      if (outside || taken.some((other) => overlap(box, other) > 0)) continue;
      const cost = rank + bounds.reduce((sum, other, j) => sum + (j === i ? 0 : overlap(box, other) / height), 0);
      if (best === undefined || cost < best.cost) best = { side, box, cost };
    }
    if (best === undefined) continue;
    taken.push(best.box);
    sides[i] = best.side;
  }
  return sides;
}
