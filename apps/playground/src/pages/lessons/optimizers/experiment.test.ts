import { constant, hostTensor, toNumbers } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { describe, expect, it } from "vitest";
import { bandOf, contours } from "./contours.js";
import { experiment, type Frame } from "./experiment.js";
import { heights } from "./heights.js";
import { racers } from "./racers.js";
import { surfaces } from "./surfaces.js";

const lab = { exact: () => reference(), fast: () => reference() };

async function race(on: string, { factor = 1, until = 300 } = {}): Promise<readonly Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of experiment({ on, factor }, lab)) if (frames.push(frame) > until) break;
  return frames;
}

describe.each(surfaces)("$name", ({ name, minima, start, x, y }) => {
  it("is 0 high at its minima, higher at the start, which is on the map", async () => {
    const points = [...minima, start];
    const axis = (i: 0 | 1) => constant(hostTensor(points.map((point) => point[i])));
    await using device = await reference();
    const [found] = await device.run([heights[name](axis(0), axis(1))]);
    const values = [...toNumbers(found as NonNullable<typeof found>)];
    for (const value of values.slice(0, -1)) expect(value).toBeCloseTo(0, 6);
    expect(values.at(-1)).toBeGreaterThan(0.9);
    expect(start[0] > x[0] && start[0] < x[1] && start[1] > y[0] && start[1] < y[1]).toBe(true);
  });

  it("is a race that everyone survives, and most get lower in", async () => {
    const frames = await race(name);
    const [first, last] = [frames[0] as Frame, frames.at(-1) as Frame];
    expect(frames).toHaveLength(301);
    expect(last.losses.filter((loss, i) => (loss as number) < (first.losses[i] as number))).toHaveLength(racers.length);
    expect(first.map?.heights).toHaveLength(200 * 200);
  });
});

it("SGD's first step is the rate times the gradient; Adam's is the rate itself", async () => {
  const [, second] = await race("ravine", { until: 2 });
  const position = (title: string) => second?.positions?.[racers.findIndex((racer) => racer.title === title)];
  const [x, y] = position("SGD") as readonly [number, number];
  // The ravine's gradient at (-9, 2) is (-9, 100), its rates are 0.02 and 0.2.
  expect(x).toBeCloseTo(-9 + 0.02 * 9, 6);
  expect(y).toBeCloseTo(2 - 0.02 * 100, 6);
  const [adamX, adamY] = position("Adam") as readonly [number, number];
  expect(adamX).toBeCloseTo(-9 + 0.2, 6);
  expect(adamY).toBeCloseTo(2 - 0.2, 6);
});

it("says of a rule that runs away that it has no loss any more", async () => {
  const frames = await race("rosenbrock", { factor: 16, until: 60 });
  expect(frames.at(-1)?.losses[0]).toBeNull();
  expect(frames.at(-1)?.losses.at(-1)).not.toBeNull();
});

it("draws bands of equal area", () => {
  const rgba = contours(
    Float32Array.from({ length: 140 }, (_, i) => i),
    false,
  );
  const colours = new Set(Array.from({ length: 140 }, (_, i) => rgba.subarray(4 * i, 4 * i + 4).join()));
  expect(colours.size).toBe(14);
  expect([bandOf(0, [1, 2]), bandOf(1, [1, 2]), bandOf(5, [1, 2])]).toEqual([0, 1, 2]);
});
