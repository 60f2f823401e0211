import type { Device } from "@ocelli/core";
import { reference } from "@ocelli/core/reference";
import { expose } from "comlink";
import { type DeviceReport, DeviceSlot } from "../device.js";
import type { Experiment, Lab } from "./experiment.js";

const experiments = {
  "receptive-field": () => import("../../pages/lessons/receptive-field/experiment.js"),
  inception: () => import("../../pages/lessons/inception/experiment.js"),
  residual: () => import("../../pages/lessons/residual/experiment.js"),
  dropout: () => import("../../pages/lessons/dropout/experiment.js"),
  optimizers: () => import("../../pages/lessons/optimizers/experiment.js"),
  activations: () => import("../../pages/lessons/activations/experiment.js"),
};

export type ExperimentName = keyof typeof experiments;
type ExperimentOf<Name extends ExperimentName> = Awaited<ReturnType<(typeof experiments)[Name]>>["experiment"];
export type OptionsOf<Name extends ExperimentName> = Parameters<ExperimentOf<Name>>[0];
export type FrameOf<Name extends ExperimentName> =
  ExperimentOf<Name> extends Experiment<never, infer Frame> ? Frame : never;

/** A frame, or that there are no more. */
type Next = { readonly frame: unknown } | undefined;

let exact: Promise<Device> | undefined;
const slot = new DeviceSlot();
let report: DeviceReport | undefined;

const lab: Lab = {
  exact: () => {
    exact ??= reference();
    return exact;
  },
  fast: async () => {
    const opened = await slot.open();
    report = opened.report;
    return opened.device;
  },
};

let running: AsyncGenerator<unknown, void, undefined> | undefined;

const api = {
  /** Leaves the experiment that runs, and makes another one ready. */
  async begin(name: ExperimentName, options: unknown): Promise<void> {
    await running?.return();
    const { experiment } = await experiments[name]();
    running = (experiment as Experiment<unknown, unknown>)(options, lab);
  },
  async next(): Promise<Next> {
    const result = await running?.next();
    return result === undefined || result.done ? undefined : { frame: result.value };
  },
  /** What computes, once an experiment has asked for a fast device. */
  report: (): DeviceReport | undefined => report,
};

export type LessonApi = typeof api;

expose(api);
