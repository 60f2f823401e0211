import type { ClassScores, EpochSummary, StatisticsRows } from "@ocelli/training";
import type { LocatedFile } from "@ocelli/training/web";
import type { ImageShape, ModelSpec } from "../../model/spec.js";
import type { DataSpec, TrainingSpec } from "../../model/training.js";
import type { StoredData } from "../../store/data.js";
import type { SavedNetwork } from "../../store/networks.js";
import type { DeviceKind, DeviceReport } from "../device.js";

export type { StoredData };

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

  /** What is stored, the newest first. @throws StorageError where the site may store nothing */
  dataSets(): Promise<readonly StoredData[]>;

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

// What is told

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

export type RunState = "preparing" | "running" | "pausing" | "paused" | "done" | "stopped" | "failed";

export interface RunStatus {
  /** The network's id in `store/networks.ts`. */
  readonly id: string;
  readonly title: string;
  readonly state: RunState;
  readonly device: DeviceReport;
  readonly spec: ModelSpec;
  readonly training: TrainingSpec;
  readonly data: DataSummary;
  /** Of the whole run. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Where the learning rate was set by hand: 1 is the schedule's. */
  readonly rateFactor: number;
  readonly live: LiveNumbers;
  readonly storage: StorageState;
  readonly failure?: RunFailure;
  readonly result?: RunResult;
  readonly points: readonly CurvePoint[];
  readonly epochs: readonly EpochPoint[];
}

/** The last step that is known. Before the first one, all but the counts are null. */
export interface LiveNumbers {
  /** Finished epochs with the share of the current one: 2.5 is the middle of the third. */
  readonly epoch: number;
  readonly step: number;
  readonly loss: number | null;
  readonly accuracy: number | null;
  /** Learning rate of the step. */
  readonly lr: number | null;
  /** Over the last seconds; pauses are not counted. */
  readonly imagesPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Share of the time in which the device had nothing to do for want of data, 0 to 1. */
  readonly waiting: number | null;
  /** The images that judge the run are looked at, and no step is under way. */
  readonly evaluating: boolean;
}

/** A point of the training's curves: means over some steps. At most about a thousand a run. */
export interface CurvePoint {
  readonly step: number;
  /** As `LiveNumbers.epoch`. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly lr: number;
}

/** An epoch's end. */
export interface EpochPoint extends EpochSummary {
  readonly step: number;
  /** Whether it is the best so far. */
  readonly best: boolean;
}

export interface RunFailure {
  /** Class of the error: `TrainingError` (the loss is NaN or explodes: lower the learning rate), `DeviceLostError`, `FormatError` ... */
  readonly name: string;
  readonly message: string;
  /** `resume()` may help: nothing but the steps since the last checkpoint is lost. */
  readonly resumable: boolean;
  /** The step of the checkpoint that it would go on from. */
  readonly from: number;
}

export interface StorageState {
  readonly kept: boolean;
  /** Milliseconds since 1970 and the step of the last save; null before the first. */
  readonly saved: { readonly time: number; readonly step: number } | null;
  /** Why it is not kept. */
  readonly problem?: { readonly reason: "quota" | "denied" | "unsupported" | "failed"; readonly message: string };
}

export interface RunResult {
  /** Of the test images at the end; null where there are none. */
  readonly testAccuracy: number | null;
  readonly testLoss: number | null;
  readonly bestEpoch: number | null;
}

// Plans

export interface PlanRequest {
  readonly spec: ModelSpec;
  readonly data: DataSpec;
  /** Fields of the training that the reader has set. */
  readonly changes?: Partial<Omit<TrainingSpec, "data">>;
}

export interface TrainPlan {
  readonly title: string;
  /** Adapted to the data: so many classes, channels and pixels. */
  readonly spec: ModelSpec;
  /** What of the given spec had to be changed for the data: "10 classes instead of 1000". */
  readonly adaptations: readonly string[];
  readonly training: TrainingSpec;
  /** The proposal alone, without the reader's changes. */
  readonly proposal: TrainingSpec;
  /** Whose recipe the proposal is: "He et al. 2016, section 4.2", and what was changed. */
  readonly source: string;
  readonly data: DataSummary;
  readonly parameters: number;
  /** Bytes of a training step at its fullest moment, by rule: `peakMemory` of @ocelli/inspect. */
  readonly memory: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Learning rate at 200 points of the run, evenly from its start to its end. Of a plateau schedule: as if it never stopped getting better. */
  readonly rates: readonly number[];
}

export interface DataSummary {
  readonly title: string;
  readonly classes: readonly string[];
  /** Of one image as the network gets it, without the border that some networks add. */
  readonly image: ImageShape;
  /** Images. */
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** What judges each epoch. */
  readonly judged: "validation" | "test";
}

export interface AugmentRequest {
  readonly spec: ModelSpec;
  readonly data: DataSpec;
  /** Name of a preset: `augmentPresets`. */
  readonly augment: string;
  readonly seed: number;
  /** How many pictures besides the original. Default 11. */
  readonly count?: number;
  /** Position among the training images. Default 0. */
  readonly image?: number;
}

/** RGBA, row by row. What travels is transferred: it is the page's alone. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
}

// Data

export interface AddDataRequest {
  /** Blobs with paths (`droppedFiles`, `directoryFiles` or an input's files), or with a `label`: pictures of a camera. */
  readonly files: readonly LocatedFile[];
  readonly name?: string;
  /** Left out: told from the files. */
  readonly kind?: "standard" | "pictures";
  /** Default "storage". */
  readonly keep?: "storage" | "memory";
  /** Adds pictures to a stored set of this name. Default: a new one. */
  readonly to?: string;
}

export interface AddProgress {
  readonly done: number;
  readonly total: number;
  readonly doing: "looking" | "storing";
}

export interface AddedData {
  readonly data: StoredData;
  /** Files that were left out, each with the reason. */
  readonly broken: readonly { readonly path: string; readonly reason: string }[];
}

export interface ExamplesRequest {
  readonly data: DataSpec;
  /** The network that they would train: pictures are shown at its size. Left out: 64 x 64. */
  readonly spec?: ModelSpec;
  /** Default 8. */
  readonly perClass?: number;
  /** So many classes at most. Default 20. */
  readonly atMost?: number;
}

export interface DataExamples {
  readonly summary: Pick<DataSummary, "title" | "classes" | "train" | "test">;
  readonly classes: readonly { readonly name: string; readonly count: number; readonly pictures: readonly Picture[] }[];
}

// Runs

export interface StartRequest {
  /** As `plan` gave it, or any: it is adapted to the data. */
  readonly spec: ModelSpec;
  readonly training: TrainingSpec;
  /** Of the network. Default: the model's. */
  readonly title?: string;
}

export interface StoredRun {
  readonly network: SavedNetwork;
  /** Where its checkpoint stands. */
  readonly epoch: number;
  readonly step: number;
  readonly epochs: number;
  readonly steps: number;
  /** Milliseconds since 1970. */
  readonly saved: number;
  /** `interrupted`: the page was closed or reloaded in the middle. */
  readonly state: "interrupted" | "paused" | "stopped" | "failed" | "done";
  /** Another tab trains it now. */
  readonly open: boolean;
}

// Looking inside

export interface LayerInfo {
  readonly path: string;
  /** "Conv2d", "ReLU" ... */
  readonly kind: string;
  /** Of its output for one image: `[C, H, W]` or `[features]`. */
  readonly shape: readonly number[];
  /** It is a convolution, whose filters can be seen. */
  readonly filters: boolean;
}

export interface FilterSheet {
  readonly layer: string;
  /** After so many steps. */
  readonly at: number;
  /** Of the weights: `[out, in, h, w]`. */
  readonly shape: readonly number[];
  /**
   * One for each output channel, `atMost` (default 64). Three input channels are seen in colour; otherwise each picture is of the first input
   * channel, middle grey for 0. All of a sheet have one scale.
   */
  readonly pictures: readonly Picture[];
  /** What is white (and, negative, black). */
  readonly scale: number;
}

export interface ActivationRequest {
  readonly layers: readonly string[];
  /** Position among the images that judge the run. */
  readonly image: number;
  /** Maps of a layer. Default 32. */
  readonly atMost?: number;
}

export interface ActivationMaps {
  readonly at: number;
  /** What the network was given. */
  readonly picture: Picture;
  readonly label: number;
  /** Of each class. */
  readonly probabilities: readonly number[];
  readonly layers: readonly {
    readonly path: string;
    readonly shape: readonly number[];
    /** Black: the layer's least value, white: its largest. Vectors are one row of pixels. */
    readonly pictures: readonly Picture[];
    readonly range: readonly [number, number];
  }[];
}

export interface Confusion {
  readonly at: number;
  /** Which images. */
  readonly of: "validation" | "test";
  readonly count: number;
  readonly accuracy: number;
  readonly loss: number;
  readonly classes: readonly string[];
  /** `[true, predicted]`, row by row, `classes * classes` counts. */
  readonly matrix: Int32Array<ArrayBuffer>;
  /** Recall is the class's accuracy. */
  readonly perClass: readonly ClassScores[];
}

export interface Mistakes {
  readonly at: number;
  readonly of: "validation" | "test";
  /** All of them, and the images that were looked at. */
  readonly total: number;
  readonly count: number;
  readonly mistakes: readonly {
    /** Position among the images. */
    readonly index: number;
    readonly picture: Picture;
    readonly label: number;
    readonly predicted: number;
    /** Of the predicted class and of the right one, 0 to 1. */
    readonly probability: number;
    readonly right: number;
  }[];
}
