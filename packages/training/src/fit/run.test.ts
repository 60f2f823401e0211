import type { Device, Program, StateDict } from "@ocelli/core";
import { describe, expect, it } from "vitest";
import { bars, bytesOf, type Kept, memorySink, withRun } from "../../test/fit.js";
import { evaluator } from "../evaluate.js";
import { type FitEvent, type FitOptions, type FitResult, fit, type LogEvent, type Progress } from "../fit.js";
import {
  adam,
  averagedValues,
  clipNorm,
  ema,
  type ImageSource,
  loader,
  plateauSchedule,
  type Schedule,
  stepStatistics,
  subset,
  warmupSchedule,
} from "../index.js";

interface Outcome {
  readonly result: FitResult;
  readonly saved: Kept["saved"];
  readonly events: readonly FitEvent[];
  /** What is in the state at the end. */
  readonly values: StateDict;
}

/** One sitting of the small run. */
function sitting(
  change: Partial<FitOptions> | ((options: FitOptions) => Partial<FitOptions>),
  saved?: { readonly values: StateDict; readonly progress: Progress },
): Promise<Outcome> {
  return withRun(async (device, options) => {
    const sink = memorySink();
    const events: FitEvent[] = [];
    const changed = { ...options, checkpoints: sink, ...(typeof change === "function" ? change(options) : change) };
    const state = saved === undefined ? options.state : await device.createState(saved.values);
    try {
      const on: FitOptions["on"] = (event) => {
        events.push(event);
        return changed.on?.(event);
      };
      const from = saved?.progress;
      const result = await fit({ ...changed, state, on, ...(from && { from }) });
      return { result, saved: sink.saved, events, values: await state.read() };
    } finally {
      state.dispose();
    }
  });
}

const last = (saved: Kept["saved"]): Kept["saved"][0] => saved.at(-1) as Kept["saved"][0];

/** Stops after a step, by the callback. */
const stopAt =
  (step: number): FitOptions["on"] =>
  (event) =>
    event.type === "step" && event.step === step ? "stop" : undefined;

/** The device, keeping what it compiles. */
function programsOf(inner: Device): { readonly device: Device; readonly programs: readonly Program[] } {
  const programs: Program[] = [];
  const compile: Device["compile"] = async (...args) => {
    const program = await inner.compile(...args);
    programs.push(program);
    return program;
  };
  const device = new Proxy(inner, {
    get: (target, name) => {
      const value: unknown = name === "compile" ? compile : Reflect.get(target, name);
      return typeof value === "function" && value !== compile ? value.bind(target) : value;
    },
  });
  return { device, programs };
}

const ofType = <T extends FitEvent["type"]>(events: readonly FitEvent[], type: T): Extract<FitEvent, { type: T }>[] =>
  events.filter((event): event is Extract<FitEvent, { type: T }> => event.type === type);

describe("a run with everything that has a memory", () => {
  // Nine batches an epoch, four of which make an update; nothing gets better by half, so that the plateau falls.
  const everything: Partial<FitOptions> = {
    epochs: 3,
    validation: bars(40, 7),
    accumulate: 4,
    average: ema({ decay: 0.8 }),
    clip: clipNorm(1),
    monitor: "loss",
    schedule: warmupSchedule({
      epochs: 1.5,
      start: 0.1,
      schedule: plateauSchedule({ patience: 0, factor: 0.5, threshold: 0.9 }),
    }),
  };

  it("gives the same bits when it is stopped anywhere and resumed", async () => {
    const straight = await sitting(everything);
    const { lossSum, history } = straight.result.progress;
    expect([lossSum, history.length]).toEqual([0, 3]);
    expect(history.map(({ lr }) => lr)).toEqual([0.1 * 0.1, expect.closeTo(0.1 * 0.7, 12), 0.05]);
    for (const step of [2, 9, 13]) {
      const first = await sitting({ ...everything, on: stopAt(step) });
      expect(first.result.status).toBe("interrupted");
      const second = await sitting(everything, last(first.saved));
      expect(bytesOf(last(second.saved).values)).toBe(bytesOf(last(straight.saved).values));
      expect(second.result).toEqual(straight.result);
    }
  });

  it("does not notice that checkpoints are written within epochs, and goes on from them after a crash", async () => {
    const straight = await sitting(everything);
    const often = await sitting({ ...everything, checkpointEvery: { steps: 5 } });
    expect(often.result).toEqual(straight.result);
    expect(bytesOf(last(often.saved).values)).toBe(bytesOf(last(straight.saved).values));
    const steps = often.saved.filter(({ kind }) => kind === "last").map(({ progress }) => progress.step);
    // What is in flight when a checkpoint is due goes in as well; an epoch's own starts the count anew.
    expect(steps).toEqual([6, 9, 15, 18, 24, 27]);
    const crashed = often.saved.find(({ progress }) => progress.step === 15) as Kept["saved"][0];
    expect(crashed.progress.batch).toBe(6);
    const second = await sitting({ ...everything, checkpointEvery: { steps: 5 } }, crashed);
    expect(second.saved[0]?.progress.step).toBe(18);
    expect(second.result).toEqual(straight.result);
    expect(bytesOf(last(second.saved).values)).toBe(bytesOf(last(straight.saved).values));
  });

  it("checkpoints by the clock, too", async () => {
    const { saved } = await sitting({ epochs: 1, checkpointEvery: { minutes: 1e-6 } });
    expect(saved.length).toBeGreaterThan(4);
  });
});

describe("averages", () => {
  it("are what is evaluated, and what the best epoch goes by", async () => {
    await withRun(async (device, options) => {
      const sink = memorySink();
      const average = ema({ decay: 0.9 });
      await fit({ ...options, epochs: 2, average, checkpoints: sink });
      const { values, progress } = last(sink.saved);
      const evaluated = async (given: StateDict): Promise<number> => {
        using state = await device.createState(given);
        const batches = loader(bars(40, 2), { batchSize: 100 }).epoch(0);
        return (await evaluator(device, state, options)(batches)).loss;
      };
      const reported = progress.history[1]?.testLoss;
      expect(reported).toBe(await evaluated(averagedValues(values)));
      expect(reported).not.toBeCloseTo(await evaluated(values), 3);
    });
  });
});

describe("the best epoch", () => {
  /** Learns nothing: all epochs are alike. */
  const still: Schedule = { name: "still", options: {}, factor: () => 0 };
  // With a running mean that moves, they would not be.
  const idle = (options: FitOptions): Partial<FitOptions> => ({
    schedule: still,
    epochs: 9,
    freeze: frozenOf(options),
  });
  const frozenOf = ({ model }: FitOptions): string[] =>
    [...model.parameters().keys()].filter((name) => /features\.1/.test(name));

  it("is the first of equal ones", async () => {
    const { saved, events, result } = await sitting((options) => ({ ...idle(options), epochs: 3 }));
    expect(saved.map(({ kind }) => kind)).toEqual(["best", "last", "last", "last"]);
    expect(ofType(events, "epoch").map(({ best }) => best)).toEqual([true, false, false]);
    expect(ofType(events, "done")[0]).toMatchObject({ best: 1, status: "done", step: 27 });
    expect(result.status).toBe("done");
  });

  it("ends the run after so many that were no better, and again when it is resumed", async () => {
    const stopping = (options: FitOptions): Partial<FitOptions> => ({
      ...idle(options),
      earlyStopping: { patience: 2 },
    });
    const { result, saved } = await sitting(stopping);
    expect(result.status).toBe("stopped");
    expect(result.progress.epoch).toBe(3);
    const again = await sitting(stopping, last(saved));
    expect(again.result).toEqual(result);
    expect(ofType(again.events, "step")).toEqual([]);
    const patient = await sitting((options) => ({ ...stopping(options), earlyStopping: { patience: 4 } }), last(saved));
    expect(patient.result.progress.epoch).toBe(5);
  });

  it("counts as better only by more than minDelta", async () => {
    const run = (minDelta: number): Promise<Outcome> =>
      sitting({ epochs: 4, monitor: "loss", earlyStopping: { patience: 1, minDelta } });
    expect((await run(0)).result.progress.epoch).toBe(4);
    expect((await run(100)).result.progress.epoch).toBe(2);
  });

  // The second epoch's steps are so large that what was learnt is gone.
  const spoilt: Partial<FitOptions> = {
    epochs: 2,
    validation: bars(40, 7),
    restoreBest: true,
    schedule: { name: "spoilt", options: {}, factor: ({ epoch }) => (epoch < 1 ? 1 : 30) },
  };

  it("is in the state at the end when asked for, and is what the test data sees", async () => {
    const { result, values, saved } = await sitting(spoilt);
    const [first, second] = result.progress.history.map(({ validationAccuracy }) => validationAccuracy as number);
    expect(first).toBeGreaterThan((second as number) + 0.2);
    expect(bytesOf(values)).toBe(bytesOf((saved[0] as Kept["saved"][0]).values));
    expect(bytesOf(values)).not.toBe(bytesOf(last(saved).values));
    const plain = await sitting({ ...spoilt, restoreBest: false });
    expect(bytesOf(plain.values)).toBe(bytesOf(last(saved).values));
    expect(result.testAccuracy).toBeGreaterThan(plain.result.testAccuracy as number);
    expect(result.progress.history.map(({ testAccuracy }) => testAccuracy)).toEqual([null, null]);
  });

  it("comes from the sink in a resumed run", async () => {
    const first = await sitting({ ...spoilt, on: stopAt(12) });
    const best = first.saved.find(({ kind }) => kind === "best") as Kept["saved"][0];
    await expect(sitting(spoilt, last(first.saved))).rejects.toThrow(
      /restoreBest in a resumed run needs checkpoints with a load/,
    );
    const second = await sitting(
      { ...spoilt, checkpoints: { ...memorySink(), load: async () => best } },
      last(first.saved),
    );
    expect(bytesOf(second.values)).toBe(bytesOf(best.values));
    const straight = await sitting(spoilt);
    expect(second.result).toEqual(straight.result);
  });
});

describe("an interruption while the test data is looked at", () => {
  it("leaves a run that only has to look again", async () => {
    const images = bars(40, 2);
    const stop = new AbortController();
    const { images: _, ...labels } = images;
    const test: ImageSource = {
      ...labels,
      read: async ({ indices }) => {
        stop.abort();
        return { images: subset(images, indices).images, broken: [] };
      },
    };
    const change: Partial<FitOptions> = { epochs: 1, validation: bars(40, 7) };
    const first = await sitting({ ...change, test, signal: stop.signal });
    expect(first.result).toMatchObject({ status: "interrupted", testAccuracy: null, progress: { epoch: 1, batch: 0 } });
    const second = await sitting(change, last(first.saved));
    const straight = await sitting(change);
    expect(second.result).toEqual(straight.result);
    expect(second.result.testAccuracy).toBeGreaterThan(0.3);
  });
});

describe("the device", () => {
  it("has its programs back when the run is over, well or not", async () => {
    for (const change of [{}, { average: ema({ decay: 0.5 }) }, { maxLoss: 1e-3 }] satisfies Partial<FitOptions>[]) {
      await withRun(async (device, options) => {
        const made = programsOf(device);
        await fit({ ...options, epochs: 1, ...change, device: made.device }).catch(() => undefined);
        expect(made.programs.length).toBeGreaterThan(0);
        for (const program of made.programs)
          await expect(program.run({}, options.state)).rejects.toThrow(/the program was disposed/);
      });
    }
  });
});

describe("events", () => {
  it("are waited for, and log means over the steps between", async () => {
    let waiting = 0;
    const { events, result } = await sitting({
      logEvery: 4,
      epochs: 2,
      statistics: stepStatistics({ activations: false }),
      clip: clipNorm(1),
      on: async () => {
        expect(waiting++).toBe(0);
        await new Promise((resolve) => setTimeout(resolve, 1));
        waiting--;
      },
    });
    const steps = ofType(events, "step");
    const logged = ofType(events, "log");
    expect(logged.map(({ epoch, batch, step }) => [epoch, batch, step])).toEqual([
      [1, 4, 4],
      [1, 8, 8],
      [1, 9, 9],
      [2, 4, 13],
      [2, 8, 17],
      [2, 9, 18],
    ]);
    const meanOf = (from: number, to: number): number =>
      steps.slice(from, to).reduce((sum, { loss }) => sum + loss, 0) / (to - from);
    const means = [meanOf(0, 4), meanOf(4, 8), meanOf(8, 9), meanOf(9, 13), meanOf(13, 17), meanOf(17, 18)];
    for (const [i, wanted] of means.entries()) expect(logged[i]?.loss).toBeCloseTo(wanted, 12);
    const measured = logged.filter(({ statistics }) => statistics !== undefined);
    expect(measured.map(({ step }) => step)).toEqual([9, 18]);
    for (const { gradientNorm, statistics } of measured as LogEvent[]) {
      const squares = statistics?.parameters.map(({ gradient }) => gradient ** 2) as number[];
      expect(gradientNorm).toBeCloseTo(Math.sqrt(squares.reduce((a, b) => a + b)), 5);
    }
    const summary = result.progress.history[0];
    expect(summary?.trainLoss).toBeCloseTo(meanOf(0, 9), 12);
    const [epoch] = ofType(events, "epoch");
    expect(epoch).toMatchObject({ ...summary, step: 9, best: true });
    expect(epoch?.seconds).toBeGreaterThan(0);
    expect(steps.every(({ secondsLeft }) => secondsLeft > 0 && secondsLeft < 600)).toBe(true);
    expect(events.at(-1)?.type).toBe("done");
  });

  it("have the statistics of an epoch's last batch that changes parameters", async () => {
    const { events } = await sitting({ epochs: 2, accumulate: 4, statistics: stepStatistics({ activations: false }) });
    const measured = ofType(events, "log").filter(({ statistics }) => statistics !== undefined);
    expect(measured.map(({ step }) => step)).toEqual([8, 16]);
    for (const { statistics } of measured)
      for (const { update } of statistics?.parameters ?? []) expect(update).toBeGreaterThan(0);
  });

  it("do not change what is learnt by being logged with statistics", async () => {
    const plain = await sitting({ epochs: 1 });
    const measured = await sitting({ epochs: 1, logEvery: 2, statistics: stepStatistics() });
    expect(bytesOf(measured.values)).toBe(bytesOf(plain.values));
  });

  it("tell how long the device had nothing to do", async () => {
    const images = bars(96, 1);
    // Each batch comes 40 ms after it was asked for; so small a step takes a fraction of that.
    const { images: _, ...labels } = images;
    const slow: ImageSource = {
      ...labels,
      read: async ({ indices }) => {
        await new Promise((resolve) => setTimeout(resolve, 40));
        return { images: subset(images, indices).images, broken: [] };
      },
    };
    const run = async (train: FitOptions["train"]): Promise<number> =>
      ofType((await sitting({ train, epochs: 1, batchSize: 2, test: undefined })).events, "epoch")[0]
        ?.waiting as number;
    const [waiting, none] = [await run(slow), await run(images)];
    expect(waiting).toBeGreaterThan(0.3);
    expect(none).toBeLessThan(0.2);
  });
});

describe("what makes no run", () => {
  const cases: [string, Partial<FitOptions>, RegExp][] = [
    ["epochs", { epochs: 1.5 }, /fit: epochs is 1.5; it needs a whole number >= 0/],
    [
      "lossPerSample",
      { lossPerSample: undefined as never },
      /lossPerSample is undefined; it needs a function of output/,
    ],

    ["logEvery", { logEvery: 0 }, /logEvery is 0; it needs a whole number >= 1/],
    ["maxLoss", { maxLoss: Number.NaN }, /maxLoss is NaN/],
    ["monitor", { monitor: "val_loss" as never }, /fit: monitor is "val_loss"; it needs one of accuracy, error, loss/],
    ["patience", { earlyStopping: { patience: 0 } }, /earlyStopping.patience is 0; it needs a whole number >= 1/],
    ["minDelta", { earlyStopping: { patience: 1, minDelta: -1 } }, /earlyStopping.minDelta is -1/],
    [
      "checkpointEvery",
      { checkpointEvery: { minutes: -1 } },
      /checkpointEvery.minutes is -1; it needs a number above 0/,
    ],
    ["restoreBest", { restoreBest: true, test: undefined }, /restoreBest needs validation or test data/],
    [
      "a schedule below 0",
      { schedule: { name: "line", options: {}, factor: ({ epoch }) => 1 - 2 * epoch } },
      /the schedule line gives the factor -0.1\d* at epoch 0.5\d*; it needs a finite number >= 0/,
    ],
    [
      "a schedule without a number",
      { schedule: { name: "x", options: {}, factor: () => Number.NaN } },
      /x gives the factor NaN at epoch 0;/,
    ],
    ["a batch larger than the set", { batchSize: 151 }, /bars has 150 images: fewer than batchSize 151/],
    [
      "a loss that explodes",
      { maxLoss: 1e-3 },
      /fit: the loss is 1\.\de\+0, which is above 0.001: it explodes at step 1 \(epoch 1, batch 1\)/,
    ],
  ];
  it.each(cases)("is refused by name: %s", async (_, change, message) => {
    await expect(sitting({ epochs: 1, ...change })).rejects.toThrow(message);
  });

  it("is refused with a callback that is none", async () => {
    await withRun(async (_, options) => {
      await expect(fit({ ...options, on: true as never })).rejects.toThrow("fit: on is true; it needs a function of");
    });
  });

  it("is refused when it was another data set, batch size or optimizer", async () => {
    const { saved } = await sitting({ epochs: 1 });
    const message =
      /took 9 steps in 1 epochs and 0 batches; here an epoch has 18 batches \(144 images by 8\)\. It was another/;
    await expect(sitting({ batchSize: 8 }, last(saved))).rejects.toThrow(message);
    await expect(sitting({ optimizer: adam({ lr: 0.1 }), epochs: 2 }, last(saved))).rejects.toThrow(
      /the state lacks 12 of [\s\S]*optimizer\/features\.0\.weight\./,
    );
  });
});
