import type { Shape } from "@ocelli/core";

export const shapeText = (shape: Shape): string => (shape.length === 0 ? "1" : shape.join(" × "));

/** Along height and width, once where both are the same. */
export const pairText = ([a, b]: readonly [number, number]): string => (a === b ? `${a}` : `${a} × ${b}`);
