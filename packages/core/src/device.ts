/**
 * What every device offers. A device compiles graphs and runs them; what it returns from an awaited call belongs to the caller.
 *
 * - Values that change with each run (a batch, the learning rate, the random key) are a program's *inputs*.
 * - Values that stay on the device (parameters, statistics, optimizer state) are a {@link State}: an open set of named collections.
 *   A program reads them and may replace them; a replacement takes effect for the runs that follow.
 * - Runs are queued in order, at most two at a time: an awaited `run` means *queued*, an awaited `read` means *done*.
 */
import type { HostTensor } from "./host.js";
import type { State, StateDict } from "./state.js";
import type { Spec, Tensor } from "./tensor.js";

export type Tensors = Readonly<Record<string, Tensor>>;
export type Specs = Readonly<Record<string, Spec>>;

/** A program before it is traced: named specs, and a pure function that builds the graph. */
export interface Traceable {
  /** Given anew with each run. */
  readonly inputs: Specs;
  /** Entries of the state that the program reads or replaces, by qualified name (`params/conv1.weight`). */
  readonly state?: Specs;
  readonly build: (inputs: Tensors, state: Tensors) => Traced;
}

export interface Traced {
  /** What a run hands back. */
  readonly outputs: Tensors;
  /** New values of state entries, by qualified name. */
  readonly updates?: Tensors;
}

/** Anything whose state a device can make: a module. */
export interface Initializable {
  /** Fresh values by collection and name; the same seed gives the same values. */
  initialState(options: { seed: number }): StateDict;
}

/** One result of a run. */
export interface Handle {
  readonly spec: Spec;
  /** Waits for the run and brings the value to the host. */
  read(): Promise<HostTensor>;
}

export interface ProgramStats {
  /** Names the structure; programs with one hash share what was compiled. */
  readonly hash: string;
  /** Tracing, passes and the device's own compilation; near 0 when the structure was known. */
  readonly compileMs: number;
  readonly cached: boolean;
  /** Nodes after all passes. */
  readonly nodes: number;
  /** Bytes that the compiled program itself holds, as far as the device knows. */
  readonly bytes: number;
}

/** A compiled program. */
export interface Program extends Disposable {
  readonly stats: ProgramStats;
  /**
   * Queues one run; resolves when it is queued. The inputs' memory is read later: leave it as it is until a result has been read.
   * @throws ShapeError, DTypeError for inputs that do not fit; StateError when entries are missing; DisposedError;
   * the error of an earlier run that failed on the same state
   */
  run(inputs: Readonly<Record<string, HostTensor>>, state?: State): Promise<Readonly<Record<string, Handle>>>;
}

export interface CompileOptions {
  /** State entries to build in as constants, by qualified name: faster, and no longer live. */
  readonly frozen?: Readonly<Record<string, HostTensor>>;
}

export interface DeviceInfo {
  /** `reference`, `onnx-cpu`, `onnx-cuda`, `webgpu` ... */
  readonly name: string;
  /** The processor or graphics card, as far as it is known. */
  readonly adapter: string;
  readonly threads?: number;
  /** Versions of what runs below, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface Device extends AsyncDisposable {
  readonly info: DeviceInfo;
  compile(program: Traceable, options?: CompileOptions): Promise<Program>;
  /** Puts values on the device. */
  createState(values: StateDict): Promise<State>;
  /** Makes a model's parameters and buffers, on the device. */
  init(model: Initializable, options?: { readonly seed?: number }): Promise<State>;
  /** Computes tensors that depend on no input, and brings them to the host. */
  run(tensors: readonly Tensor[]): Promise<HostTensor[]>;
  /** Waits for all that is queued and releases everything. */
  dispose(): Promise<void>;
}
