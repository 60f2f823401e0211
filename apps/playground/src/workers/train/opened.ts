import type { State, StateDict } from "@ocelli/core";
import { type FitOptions, type Named, normalize, type Progress, type Schedule } from "@ocelli/training";
import type { ModelOutput } from "@ocelli/zoo";
import { type BuiltModel, buildModel } from "../../model/build.js";
import type { ModelSpec } from "../../model/spec.js";
import type { TrainingSpec } from "../../model/training.js";
import type { DeviceSlot, OpenedDevice } from "../device.js";
import { breathing } from "./breath.js";
import { describe, openTraining, type TrainData } from "./data.js";
import { fitted } from "./fitting.js";
import { partsOf } from "./plan.js";
import { allButHead } from "./transfer.js";

/** What a training is made of: all that has to be there before its first step. */
export interface Parts extends OpenedDevice {
  readonly spec: ModelSpec;
  readonly built: BuiltModel;
  readonly training: TrainingSpec;
  readonly data: TrainData;
  /** What images go through in evaluation. */
  readonly transform: Named;
  readonly stepsPerEpoch: number;
  /** Patterns of what stays as it is; left out: nothing does. */
  readonly freeze?: readonly string[];
}

/** What is asked for. */
interface Wanted {
  readonly spec: ModelSpec;
  readonly training: TrainingSpec;
  /** All but the head stays as it is. */
  readonly headOnly?: boolean | undefined;
}

/** Opens the data and the device. @throws ArgumentError, FormatError, StorageError, DeviceError */
export async function openParts(
  slot: DeviceSlot,
  { spec: given, training, headOnly = false }: Wanted,
  tell: (doing: string) => void,
): Promise<Parts> {
  // Errors of the options come before anything is read.
  partsOf(training);
  tell("Reading the data");
  const { augment, validation = 0, seed, batchSize } = training;
  const described = await describe(training.data, buildModel(given));
  const { spec, built } = fitted(given, described.image, described.classes.length);
  const data = await openTraining(described, { network: built, augment, validation, seed, tell });
  tell("Opening the device");
  const opened = await slot.open();
  const { name, options } = normalize(data.normalization);
  const stepsPerEpoch = Math.max(1, Math.floor(data.train.count / batchSize));
  return {
    ...{ ...opened, spec, built, training, data, transform: { name, options }, stepsPerEpoch },
    ...(headOnly && { freeze: allButHead(built) }),
  };
}

/** "LeNet-5 on Digits". */
export const titleOf = ({ built, data }: Pick<Parts, "built" | "data">): string =>
  `${built.title} on ${data.summary.title}`;

/** The state of a new run, or of one that has values already. */
export function openState({ device, built, training }: Parts, values?: StateDict): Promise<State> {
  return values === undefined ? device.init(built.model, { seed: training.seed }) : device.createState(values);
}

/** Points of a run's curve. */
const pointsOfRun = 600;

type FitParts = Omit<FitOptions<ModelOutput>, "device" | "state" | "from"> & {
  readonly schedule: Schedule;
  readonly seed: number;
};

/** What of `fit`'s options the parts decide. */
export function fitOptionsOf({ built, training, data, stepsPerEpoch, freeze }: Parts): FitParts {
  const { optimizer, schedule, loss, clip, average } = partsOf(training);
  const { epochs, batchSize, seed } = training;
  const { train, validation, test } = data;
  return {
    ...{ model: built.model, epochs, batchSize, seed, optimizer, schedule, clip, average, freeze },
    ...{ train, validation: validation && breathing(validation), test: test && breathing(test) },
    transform: data.preset.transform,
    lossPerSample: built.lossPerSample(loss?.perSample),
    logEvery: Math.max(1, Math.round((epochs * stepsPerEpoch) / pointsOfRun)),
  };
}

export const accuracyOf = ({ history }: Progress): number | null => {
  const last = history.at(-1);
  return last?.validationAccuracy ?? last?.testAccuracy ?? null;
};
