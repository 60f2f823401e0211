import type { StatisticsRows } from "@ocelli/training";
import type { HeldNetwork } from "../../store/source.js";
import type { DeviceKind, DeviceReport } from "../device.js";
import type {
  AddDataRequest,
  AddedData,
  AddProgress,
  AugmentRequest,
  DataExamples,
  DataListing,
  ExamplesRequest,
} from "./api/data.js";
import type {
  ActivationMaps,
  ActivationRequest,
  Confusion,
  FilterSheet,
  LayerInfo,
  Mistakes,
  Picture,
} from "./api/looks.js";
import type { PlanRequest, TrainPlan } from "./api/plan.js";
import type {
  CurvePoint,
  EpochPoint,
  LiveNumbers,
  RunStatus,
  StartRequest,
  StorageState,
  StoredRun,
} from "./api/run.js";

export type * from "./api/data.js";
export type * from "./api/looks.js";
export type * from "./api/plan.js";
export type * from "./api/run.js";

/**
 * What the training worker does, for the page: `trainer()` in `client.ts` gives it, through Comlink. There is one worker for the site, which
 * lives until the page is reloaded, whatever page is shown: a page that is opened asks `status()` and draws what is there.
 *
 * One network is trained at a time. Its states:
 *
 * - `preparing`: the step is compiled;
 * - `running`, `pausing` (the steps in flight end and the run is saved), `paused`;
 * - `done`, `failed` (see `RunFailure`; one that is `resumable` goes on by `resume()`), `stopped` (saved; `continueRun` opens it again).
 *
 * Errors of all calls are `Error`s whose `name` is their class (ArgumentError, FormatError, StorageError, DeviceError, TrainingError ...) and
 * whose message says what came, what was needed and what to do.
 */
export interface TrainApi {
  /** Opens what computes, once; later calls give the same. @throws DeviceError when what is wanted cannot be had */
  open(wanted?: DeviceKind | "auto"): Promise<DeviceReport>;

  /** Adds a listener (`Comlink.proxy(fn)`); it is told whatever happens from then on. `client.ts` does this. */
  listen(listener: (event: TrainEvent) => void): Promise<void>;

  /** The run that the worker has, with all its curves; null when there is none. */
  status(): Promise<RunStatus | null>;

  // Before a run

  /**
   * What there is to know before the start: the network made to fit the data, a sensible training, and what it costs. Takes what the reader
   * has changed (`changes`) as it is; the rest follows it: schedules keep their proportions, the rate of sgd and lars goes with the batch. Reads the data, and so may take a second; asks nothing of the device.
   * @throws ArgumentError where network and data do not go together: the message says why; `FormatError`, `StorageError` of the data
   */
  plan(request: PlanRequest): Promise<TrainPlan>;

  /**
   * Side of the smallest images that the network takes, for data whose own are too small: `{ ...data, size }` are then scaled up. Null: the network
   * takes none up to 512 pixels.
   */
  leastSize(request: Pick<PlanRequest, "spec" | "data">): Promise<number | null>;

  /**
   * One image of the data under the training's augmentation, `count` times, as steps under `seed` would see it; the first picture is the image as
   * it is. `data` and `augment` say what; sizes are the model's. @throws as `plan`, and DeviceError
   */
  augmentPreview(request: AugmentRequest): Promise<readonly Picture[]>;

  // Data

  /** What is stored; where the site may store nothing, why. */
  dataSets(): Promise<DataListing>;

  /**
   * Looks at files that the reader gave: a standard set (MNIST, Fashion-MNIST, CIFAR-10, CIFAR-100, as published), or pictures (the folder is the
   * class, or `label`). Stores them under a name and says what they are; broken pictures are left out and named.
   * @param name of pictures; left out: the outermost folder's. A name that is taken gets a number. Standard sets have their own
   * @param onProgress `Comlink.proxy(fn)`: of the files that are stored
   * @throws ArgumentError that says what was looked for and what came: wrong files, one class only; FormatError for damaged files; StorageError
   * when there is no room or no permission: then `keep: "memory"` takes them for as long as the page lives
   */
  addData(request: AddDataRequest, onProgress?: (progress: AddProgress) => void): Promise<AddedData>;

  /** Deletes a stored set. @throws ArgumentError when a run uses it; StorageError */
  deleteData(name: string): Promise<void>;

  /** Some images of each class, for a sheet: row by row `perClass` of each, at the size they are trained at. @throws as `plan` */
  examples(request: ExamplesRequest): Promise<DataExamples>;

  // Runs

  /** Trainings in the site's storage that can be gone on with, the newest first. @throws StorageError */
  runs(): Promise<readonly StoredRun[]>;

  /**
   * Starts a training and returns when it has begun: data and device are there, the step is being compiled (`preparing`). What takes its time
   * before is told by `preparing` events. What ran before is stopped and saved.
   * @throws ArgumentError for parts that do not go together; FormatError, StorageError of the data; DeviceError
   */
  start(request: StartRequest): Promise<RunStatus>;

  /**
   * Goes on with a stored training where its last checkpoint stands: the same steps as if it had never stopped. Returns as `start`. One that is
   * done is opened as it is, to be looked at.
   * @throws as `start`; ArgumentError when there is none; StateError when another tab has it open, FormatError when it is damaged
   */
  continueRun(id: string): Promise<RunStatus>;

  /** The network of the run as it was last saved, for a page to hold whose storage did not take it. @throws StateError without a run */
  held(): Promise<HeldNetwork>;

  /** Deletes a stored training and its network. @throws StateError when another tab has it open */
  discardRun(id: string): Promise<void>;

  /** Lets the steps in flight end and saves. Resolves when it is `paused`. */
  pause(): Promise<RunStatus>;
  /** Goes on: after a pause, and after a failure that is resumable (from the last checkpoint, on a device that is opened again). */
  resume(): Promise<RunStatus>;
  /** While paused: one step. Resolves when it is done and saved. */
  step(): Promise<RunStatus>;
  /** Saves and lets the run go; its status stays to be seen. */
  stop(): Promise<RunStatus>;
  /** The schedule's rate times `factor` from the next step on (1: the schedule's own). It is stored with the run. */
  setLearningRate(factor: number): Promise<RunStatus>;

  // Looking inside: between two steps, without any effect on the run. All need a run; @throws StateError without one

  /** Modules whose output can be looked at, in the order of the forward pass. */
  layers(): Promise<readonly LayerInfo[]>;
  /** The filters of a convolution, as pictures. @param layer a path with `filters: true`; left out: the first convolution */
  filters(layer?: string, atMost?: number): Promise<FilterSheet>;
  /** Maps of a layer for an image of the judged set. @param atMost channels */
  activations(request: ActivationRequest): Promise<ActivationMaps>;
  /**
   * Norms of gradients, parameters and updates, and statistics of each module's output, of one batch as the next step would see it.
   * Nothing is changed by it.
   */
  gradients(): Promise<StatisticsRows & { readonly at: number }>;
  /** How the images that judge the run (validation, else test) are taken. */
  confusion(): Promise<Confusion>;
  /** Of the same images those that are taken for something else, the surest mistakes first. */
  mistakes(atMost?: number): Promise<Mistakes>;
}

export type TrainEvent =
  /** Before a run begins: "Reading pictures, 32 of 200". */
  | { readonly type: "preparing"; readonly doing: string }
  /** The run's standing changed, or another run began: the whole of it but the curves, which a new run has none of and `status()` gives. */
  | { readonly type: "state"; readonly status: Omit<RunStatus, "points" | "epochs"> }
  /** About ten a second. `points` are those that are new since the event before. */
  | { readonly type: "step"; readonly live: LiveNumbers; readonly points: readonly CurvePoint[] }
  | { readonly type: "epoch"; readonly epoch: EpochPoint }
  /** The step's program is there. */
  | { readonly type: "compiled"; readonly ms: number }
  /** What is kept: `kept` false: the browser has no room or denies it, and the run goes on in memory. */
  | { readonly type: "storage"; readonly storage: StorageState };
