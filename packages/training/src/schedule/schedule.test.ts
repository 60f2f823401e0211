import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { EpochSummary } from "../fit/progress.js";
import type { Named } from "../named.js";
import {
  constantSchedule,
  cosineSchedule,
  cyclicSchedule,
  exponentialSchedule,
  makeSchedule,
  multiStepSchedule,
  oneCycleSchedule,
  plateauSchedule,
  polynomialSchedule,
  productSchedule,
  type Schedule,
  type SchedulePoint,
  schedules,
  sequenceSchedule,
  stepSchedule,
  warmupSchedule,
} from "./index.js";

interface Fixture {
  readonly epochs: number;
  readonly batches: number;
  readonly cases: readonly (Named & { readonly every: "epoch" | "step"; readonly factors: readonly number[] })[];
  readonly plateaus: readonly {
    readonly case: string;
    readonly options: Named["options"];
    readonly figures: readonly number[];
    /** Before each epoch and after the last. */
    readonly factors: readonly number[];
  }[];
}

const { epochs, batches, cases, plateaus } = JSON.parse(
  readFileSync(new URL("../../fixtures/schedules.json", import.meta.url), "utf8"),
) as Fixture;

const point = (epoch: number, rest: Partial<SchedulePoint> = {}): SchedulePoint => ({
  epoch,
  epochs,
  batches,
  history: [],
  ...rest,
});
const at =
  (schedule: Schedule, rest: Partial<SchedulePoint> = {}) =>
  (epoch: number): number =>
    schedule.factor(point(epoch, rest));

function summary(index: number, figures: Partial<EpochSummary>): EpochSummary {
  const none = { validationLoss: null, validationAccuracy: null, testLoss: null, testAccuracy: null };
  return { epoch: index + 1, trainLoss: 9, trainAccuracy: 0, lr: 1, ...none, ...figures };
}

function expectClose(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) expect(found[i], `at ${i}`).toBeCloseTo(value, 12);
}

describe("PyTorch's schedules", () => {
  it.each(cases.map((one) => [`${one.name} ${JSON.stringify(one.options)}`, one] as const))("%s", (_, one) => {
    const steps = one.factors.map((_, i) => (one.every === "epoch" ? i : i / batches));
    expectClose(steps.map(at(makeSchedule(one))), one.factors);
  });

  it.each(plateaus.map((one) => [one.case, one] as const))("plateau: %s", (_, { options, figures, factors }) => {
    const schedule = plateauSchedule(options);
    const field = options.monitor === "accuracy" ? "validationAccuracy" : "validationLoss";
    const history = figures.map((figure, i) => summary(i, { [field]: figure }));
    const found = factors.map((_, epoch) => at(schedule, { history: history.slice(0, epoch) })(epoch));
    expectClose(found, factors);
    // One that never falls would pass for nothing.
    expect(new Set(found).size).toBeGreaterThan(2);
  });

  it("are all here", () => {
    const tested = new Set(cases.map(({ name }) => name));
    expect(Object.keys(schedules).filter((name) => !tested.has(name))).toEqual(["plateau", "product"]);
  });
});

describe("schedules", () => {
  it("change within epochs where they are smooth, and only at epochs where they are steps", () => {
    expect(at(stepSchedule({ stepSize: 1, gamma: 0.5 }))(2.8)).toBe(0.25);
    expect(at(exponentialSchedule({ gamma: 0.25 }))(0.5)).toBe(0.5);
    expect(at(polynomialSchedule({ min: 0.2 }))(4)).toBeCloseTo(0.6, 15);
    expect(at(cosineSchedule())(2)).toBeCloseTo((1 + Math.SQRT1_2) / 2, 15);
  });

  it("take fractions of epochs, and milestones in any order", () => {
    const factor = at(multiStepSchedule({ milestones: [5.5, 2], gamma: 0.1 }));
    expect([1.9, 2, 5.4].map(factor)).toEqual([1, 0.1, 0.1]);
    expect(factor(5.5)).toBeCloseTo(0.01, 15);
    expect(multiStepSchedule({ milestones: [123, 82] }).options.milestones).toEqual([82, 123]);
  });

  it("count lengths that sums of fractions miss by a rounding error", () => {
    // 0.3 / 0.1 is 2.9999999999999996.
    const tenths = Array.from({ length: 30 }, (_, i) => Math.floor(i / 10) + (i % 10) / 10);
    expect(tenths.map(at(stepSchedule({ stepSize: 0.1, gamma: 0.5 })))).toEqual(tenths.map((_, i) => 0.5 ** i));
    for (const factor of tenths.map(at(cosineSchedule({ epochs: 0.1, restarts: 1 }))))
      expect(factor).toBeCloseTo(1, 12);
    // Waves of 1, 2 and 4 tenths: the third begins at 0.1 + 0.2.
    expect(at(cosineSchedule({ epochs: 0.1, restarts: 2 }))(0.3)).toBeCloseTo(1, 12);
  });

  it("stay where they ended", () => {
    expect(at(polynomialSchedule({ epochs: 3, min: 0.1 }))(7)).toBe(0.1);
    expect(at(cosineSchedule({ epochs: 3, min: 0.1 }))(7)).toBe(0.1);
    expect(at(oneCycleSchedule())(epochs)).toBeCloseTo(1 / 25e4, 15);
  });

  it("never leave 0..1, down to runs of a single step", () => {
    const some: Schedule[] = [
      ...cases.map(makeSchedule),
      cosineSchedule({ epochs: 1.7, restarts: 1.3 }),
      oneCycleSchedule({ rise: 0.5, threePhase: true }),
      oneCycleSchedule({ rise: 0.99, anneal: "linear" }),
    ];
    for (const schedule of some)
      for (const [length, steps] of [
        [1, 1],
        [1, 2],
        [2, 1],
        [8, 5],
        [30, 7],
      ] as const)
        for (let step = 0; step < length * steps; step++) {
          const factor = schedule.factor({ epoch: step / steps, epochs: length, batches: steps, history: [] });
          expect(factor, `${schedule.name} ${step} of ${length} x ${steps}`).toBeGreaterThanOrEqual(0);
          expect(factor).toBeLessThanOrEqual(1 + 1e-12);
        }
  });

  it("restart where they should, however many waves there are", () => {
    const factor = at(cosineSchedule({ epochs: 0.1, restarts: 1.5, min: 0 }));
    let start = 0;
    for (let wave = 0; wave < 20; wave++) {
      const length = 0.1 * 1.5 ** wave;
      expect(factor(start + length * 1e-6)).toBeGreaterThan(0.99);
      expect(factor(start + length * 0.5)).toBeCloseTo(0.5, 6);
      expect(factor(start + length * (1 - 1e-6))).toBeLessThan(0.01);
      start += length;
    }
  });
});

describe("plateau", () => {
  it("follows validation data, then test data, then the training data", () => {
    const schedule = plateauSchedule({ patience: 0, monitor: "error" });
    const of = (figures: readonly Partial<EpochSummary>[]): number =>
      at(schedule, { history: figures.map((one, i) => summary(i, one)) })(figures.length);
    expect(
      of([
        { validationAccuracy: 0.5, testAccuracy: 0.9 },
        { validationAccuracy: 0.6, testAccuracy: 0.8 },
      ]),
    ).toBe(1);
    expect(
      of([
        { testAccuracy: 0.9, trainAccuracy: 0.1 },
        { testAccuracy: 0.8, trainAccuracy: 0.5 },
      ]),
    ).toBe(0.1);
    expect(of([{ trainAccuracy: 0.1 }, { trainAccuracy: 0.2 }])).toBe(1);
  });
});

describe("schedules made of others", () => {
  const falling = exponentialSchedule({ gamma: 0.5 });

  it("warm up on top of what follows, whose epochs count from the first", () => {
    const factor = at(warmupSchedule({ schedule: stepSchedule({ stepSize: 3 }), epochs: 2, start: 0.5 }));
    expect([0, 1, 1.5, 2, 3].map(factor)).toEqual([0.5, 0.75, 0.875, 1, 0.1]);
  });

  it("multiply", () => {
    const schedule = productSchedule({ schedules: [falling, stepSchedule({ stepSize: 2 })] });
    expect([0, 1, 2].map(at(schedule))).toEqual([1, 0.5, 0.025]);
  });

  it("follow one another, each with a run of its own", () => {
    const seen: SchedulePoint[] = [];
    const spy: Schedule = { name: "spy", options: {}, factor: (given) => seen.push(given) };
    const history = [0, 1, 2, 3, 4].map((i) => summary(i, {}));
    const schedule = sequenceSchedule({ schedules: [falling, spy, spy], milestones: [2, 4.5] });
    for (const epoch of [1, 2, 5.5]) at(schedule, { history: history.slice(0, Math.floor(epoch)) })(epoch);
    expect(seen).toEqual([
      { epoch: 0, epochs: 2.5, batches, history: [] },
      { epoch: 1, epochs: 3.5, batches, history: [] },
    ]);
    at(schedule, { history })(5);
    expect(seen[2]?.history).toEqual([]);
    at(sequenceSchedule({ schedules: [falling, spy], milestones: [3] }), { history })(5);
    expect(seen[3]?.history.map(({ epoch }) => epoch)).toEqual([4, 5]);
  });

  it("come back from names and options, nested ones too, through JSON", () => {
    const schedule = warmupSchedule({
      epochs: 1,
      schedule: sequenceSchedule({
        milestones: [4],
        schedules: [productSchedule({ schedules: [falling, cosineSchedule({ epochs: 5 })] }), oneCycleSchedule()],
      }),
    });
    const back = makeSchedule(JSON.parse(JSON.stringify({ name: schedule.name, options: schedule.options })) as Named);
    expect(back.options).toEqual(schedule.options);
    const steps = Array.from({ length: epochs * batches }, (_, step) => step / batches);
    expect(steps.map(at(back))).toEqual(steps.map(at(schedule)));
    for (const one of [cyclicSchedule({ up: 2 }), plateauSchedule(), constantSchedule(), polynomialSchedule()])
      expect(makeSchedule(one).options).toEqual(one.options);
  });
});

describe("options of schedules", () => {
  const refused: [string, () => unknown, RegExp][] = [
    [
      "unknown name",
      () => makeSchedule({ name: "cosin", options: {} }),
      /"cosin" is unknown; did you mean cosine\? There are constant, step/,
    ],
    [
      "no schedule",
      () => makeSchedule(undefined as never),
      /schedule: undefined is given; it needs a name and options/,
    ],
    ["step", () => stepSchedule({ stepSize: 0 }), /^step schedule: stepSize is 0; it needs a number above 0/],
    ["gamma", () => stepSchedule({ stepSize: 1, gamma: -1 }), /gamma is -1; it needs a number >= 0/],
    ["text", () => stepSchedule({ stepSize: "3" as never }), /stepSize is 3; it needs a number/],
    ["milestones", () => multiStepSchedule({ milestones: [3, Number.NaN] }), /milestones\[1\] is NaN/],
    ["no list", () => multiStepSchedule({ milestones: 3 as never }), /milestones is 3; it needs a list/],
    ["exponential", () => exponentialSchedule({ gamma: 0 }), /gamma is 0/],
    ["power", () => polynomialSchedule({ power: 0 }), /power is 0/],
    ["min", () => cosineSchedule({ min: 2 }), /min is 2; it needs a number from 0 to 1/],
    ["restarts", () => cosineSchedule({ restarts: 2 }), /restarts need epochs/],
    ["few restarts", () => cosineSchedule({ epochs: 1, restarts: 0.5 }), /restarts is 0.5; it needs a number >= 1/],
    ["rise", () => oneCycleSchedule({ rise: 1 }), /rise is 1; it needs a number above 0 and below 1/],
    ["long rise", () => oneCycleSchedule({ rise: 0.6, threePhase: true }), /with threePhase it needs at most 0.5/],
    ["anneal", () => oneCycleSchedule({ anneal: "cos" as never }), /anneal is "cos"; it needs one of cosine, linear/],
    ["cyclic", () => cyclicSchedule({ up: 0 }), /up is 0/],
    ["mode", () => cyclicSchedule({ up: 1, mode: "exp_range" as never }), /mode is "exp_range"/],
    ["factor", () => plateauSchedule({ factor: 1 }), /factor is 1; it needs a number >= 0 and below 1/],
    [
      "monitor",
      () => plateauSchedule({ monitor: "val" as never }),
      /monitor is "val"; it needs one of accuracy, error, loss/,
    ],
    ["patience", () => plateauSchedule({ patience: -1 }), /patience is -1/],
    ["warm-up", () => warmupSchedule({ schedule: constantSchedule(), epochs: 0 }), /epochs is 0/],
    [
      "data for a schedule",
      () => warmupSchedule({ schedule: { name: "step" } as never, epochs: 1 }),
      /schedule is {"name":"step"}; it needs a schedule \(makeSchedule/,
    ],
    ["empty", () => productSchedule({ schedules: [] }), /at least one/],
    ["no schedules", () => makeSchedule({ name: "product", options: {} }), /at least one/],
    [
      "too few milestones",
      () => sequenceSchedule({ schedules: [constantSchedule(), constantSchedule()], milestones: [] }),
      /0 milestones for 2 schedules; it needs one fewer/,
    ],
    [
      "equal milestones",
      () => sequenceSchedule({ schedules: [1, 2, 3].map(() => constantSchedule()), milestones: [2, 2] }),
      /milestones are 2, 2; each must be above 0 and later/,
    ],
  ];
  it.each(refused)("are refused: %s", (_, make, message) => {
    expect(make).toThrow(message);
  });
});
