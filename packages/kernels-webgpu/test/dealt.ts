import type { Node } from "@ocelli/core";

/**
 * Which ways to run an op are tried. SwiftShader takes minutes to compile each way of each case: `npm test` tries one a case, another one from
 * case to case; with OCELLI_TESTS=all, as in the acceptance run, all are.
 */
export function dealt<T>(ways: readonly T[], { op, inputs, attrs }: Node): readonly T[] {
  if (process.env.OCELLI_TESTS === "all" || ways.length < 2) return ways;
  const text = JSON.stringify([op.name, inputs.map(({ shape }) => shape), attrs]);
  let turn = 0;
  for (let i = 0; i < text.length; i++) turn = (Math.imul(turn, 31) + text.charCodeAt(i)) >>> 0;
  return [ways[turn % ways.length] as T];
}
