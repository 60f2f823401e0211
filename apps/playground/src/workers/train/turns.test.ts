import { expect, it } from "vitest";
import { Turns } from "./turns.js";

it("has tasks wait for a moment while somebody runs, and comes at once otherwise", async () => {
  const turns = new Turns();
  expect(await turns.take(async () => "at once")).toBe("at once");
  turns.begin();
  const order: string[] = [];
  const first = turns.take(async () => void order.push("first"));
  const second = turns.take(async () => void order.push("second"));
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(order).toEqual([]);
  expect(await turns.serve()).toBe(true);
  await Promise.all([first, second]);
  expect(order).toEqual(["first", "second"]);
  expect(await turns.serve()).toBe(false);
});

it("keeps one task's failure from the others", async () => {
  const turns = new Turns();
  turns.begin();
  const broken = turns.take(() => {
    throw new RangeError("before any promise");
  });
  const whole = turns.take(async () => 7);
  const ended = turns.end();
  await expect(broken).rejects.toThrow(RangeError);
  expect(await whole).toBe(7);
  await ended;
});
