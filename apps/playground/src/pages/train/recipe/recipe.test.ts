import { makeAverage, makeClip, makeOptimizer, makeSchedule, type Named } from "@ocelli/training";
import { expect, test } from "vitest";
import { changedTraining, type TrainingSpec } from "../../../model/training.js";
import { freshOptimizer, numberOf, optimizerKinds, withNumber } from "./optimizers.js";
import { averageOver, clipOf, clipTo, decayOf } from "./parts.js";
import { joinedSchedule, milestonesOf, scheduleKinds, scheduleParts } from "./schedules.js";

test.each(optimizerKinds.map((kind) => [kind.name, kind] as const))(
  "%s has the fields that the form shows",
  (name, kind) => {
    const { options } = makeOptimizer(freshOptimizer(name));
    for (const { name: field } of kind.numbers) expect(options).toHaveProperty(field);
    expect(options).toMatchObject({ lr: kind.lr, weightDecay: kind.weightDecay });
  },
);

test("numbers that the data leave out are those that the library takes", () => {
  for (const { name, lr, numbers } of optimizerKinds) {
    const bare = { name, options: { lr } };
    const { options } = makeOptimizer(bare);
    for (const field of ["weightDecay", ...numbers.map((number) => number.name)])
      expect(numberOf(bare, field), `${name}.${field}`).toBe(options[field]);
  }
});

test("without momentum there is no Nesterov", () => {
  const nesterov = { name: "sgd", options: { lr: 0.1, momentum: 0.9, nesterov: true } };
  expect(() => makeOptimizer(withNumber(nesterov, "momentum", 0))).not.toThrow();
  expect(withNumber(nesterov, "momentum", 0.5).options.nesterov).toBe(true);
});

test.each(scheduleKinds.map((kind) => [kind.name, kind] as const))("%s can be made for any length", (_, kind) => {
  for (const epochs of [1, 2, 5, 90]) {
    const { options } = makeSchedule(kind.fresh(epochs));
    for (const { name } of kind.numbers) expect(options).toHaveProperty(name);
  }
});

test("a warm-up comes apart and together again", () => {
  const cosine = { name: "cosine", options: {} };
  const warm = { name: "warmup", options: { schedule: cosine, epochs: 2, start: 0.1 } };
  expect(scheduleParts(warm)).toEqual({ warmup: 2, plain: cosine });
  expect(joinedSchedule({ warmup: 3, plain: cosine }, warm).options).toEqual({
    schedule: cosine,
    epochs: 3,
    start: 0.1,
  });
  expect(joinedSchedule({ warmup: 0, plain: cosine }, warm)).toBe(cosine);
  expect(joinedSchedule({ warmup: 1, plain: cosine }, cosine).options).toEqual({ schedule: cosine, epochs: 1 });
});

test("milestones are read as people write them", () => {
  expect(milestonesOf("3, 5 8;13")).toEqual([3, 5, 8, 13]);
  for (const wrong of ["", "3, five", "0", "-2", "1e999"]) expect(milestonesOf(wrong), wrong).toBeUndefined();
});

test("clipping and averaging are parts that the library makes, and 0 is none", () => {
  expect(makeClip(clipTo(2) as Named).options).toEqual({ max: 2 });
  expect(clipOf({ clip: clipTo(2) as Named })).toBe(2);
  const average = averageOver(0.99) as Named;
  expect(makeAverage(average).options).toEqual({ decay: 0.99, warmup: true });
  expect(decayOf({ average })).toBe(0.99);
  expect([clipTo(0), averageOver(0), clipOf({}), decayOf({})]).toEqual([undefined, undefined, 0, 0]);
});

test("a part that was proposed can be left out", () => {
  const proposed = { clip: clipTo(2) as Named, epochs: 3 } as TrainingSpec;
  expect(changedTraining(proposed, { clip: undefined, epochs: 5 })).toEqual({ epochs: 5 });
});
