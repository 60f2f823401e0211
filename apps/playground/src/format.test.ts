import { expect, it } from "vitest";
import { formatDuration, formatNumber, formatPercent, formatRate, formatTime, plural } from "./format.js";

it("writes numbers for people", () => {
  expect(formatNumber(271_351_808)).toBe("271,351,808");
  expect([formatPercent(0.5933), formatPercent(0.5933, 0)]).toEqual(["59.3 %", "59 %"]);
  expect([0, 0.012_345, 0.000_05].map(formatRate)).toEqual(["0", "0.0123", "5.0e-5"]);
  expect([40, 200, 7500].map(formatDuration)).toEqual(["40 s", "3 min 20 s", "2 h 5 min"]);
  expect([plural(1, "picture"), plural(1234, "picture"), plural(2, "class")]).toEqual([
    "1 picture",
    "1,234 pictures",
    "2 classes",
  ]);
});

it("writes times of today without the day", () => {
  const at = (day: number, hours: number): Date => new Date(2026, 4, day, hours, 5);
  expect(formatTime(at(3, 14).getTime(), at(3, 20))).toBe("today, 14:05");
  expect(formatTime(at(3, 14).getTime(), at(4, 9))).toBe("3 May, 14:05");
});
