import { expect, test } from "vitest";
import { Generator, shuffle } from "./generator.js";

test("a stream is a function of seed, purpose and index", () => {
  const first = (...args: ConstructorParameters<typeof Generator>) => new Generator(...args).next();
  expect(first(7, "shuffle", 3)).toBe(first(7, "shuffle", 3));
  const distinct = [first(7, "shuffle", 3), first(7, "shuffle", 4), first(7, "digits", 3), first(8, "shuffle", 3)];
  distinct.push(first(7 + 2 ** 32, "shuffle", 3), first(-7, "shuffle", 3), first(7 - 2 ** 33, "shuffle", 3));
  expect(new Set(distinct).size).toBe(7);
});

test("the numbers are pinned", () => {
  const generator = new Generator(1, "shuffle", 2);
  expect(Array.from({ length: 4 }, () => generator.next())).toMatchInlineSnapshot(`
    [
      2876032265,
      3720103325,
      2329771334,
      1283714565,
    ]
  `);
});

test("bounded integers are even", () => {
  const generator = new Generator(5, "shuffle");
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i++) {
    const x = generator.below(7);
    counts[x] = (counts[x] as number) + 1;
  }
  // Chi-squared with 6 degrees of freedom: 22.5 is exceeded once in a thousand; the stream is fixed.
  expect(counts.reduce((sum, n) => sum + (n - 10_000) ** 2 / 10_000, 0)).toBeLessThan(22.5);
  expect(generator.below(1)).toBe(0);
});

test("a bound of three quarters of the range draws again instead of wrapping", () => {
  const generator = new Generator(6, "shuffle");
  const bound = 3 * 2 ** 30;
  let low = 0;
  for (let i = 0; i < 30_000; i++) if (generator.below(bound) < 2 ** 30) low++;
  // The remainder alone would put half of the draws there instead of a third.
  expect(Math.abs(low - 10_000)).toBeLessThan(350);
});

test("bell has mean 0 and deviation 1", () => {
  const generator = new Generator(9, "digits");
  const values = Array.from({ length: 20_000 }, () => generator.bell());
  const mean = values.reduce((a, b) => a + b) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.03);
  expect(Math.abs(variance - 1)).toBeLessThan(0.03);
});

test("every order of a shuffle is equally likely", () => {
  const generator = new Generator(3, "shuffle");
  const counts = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const order = shuffle([0, 1, 2, 3], generator).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  // 23 degrees of freedom: 49.7 once in a thousand.
  expect([...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)).toBeLessThan(49.7);
});
