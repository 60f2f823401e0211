import { ArgumentError, type State, type StateDict, StateError } from "@ocelli/core";
import { DeviceLostError } from "@ocelli/kernels-webgpu";
import { type FitEvent, type FitResult, fit, freshProgress, type Progress } from "@ocelli/training";
import type { SavedNetwork } from "../../store/networks.js";
import type { HeldNetwork } from "../../store/source.js";
import type { DeviceSlot } from "../device.js";
import { networkFile } from "../export/encode.js";
import type { RunFailure, RunResult, RunState, RunStatus, TrainEvent } from "./api.js";
import { breath } from "./breath.js";
import { Curves } from "./curves.js";
import { FrozenFeatures } from "./frozen.js";
import { accuracyOf, fitOptionsOf, openState, type Parts } from "./opened.js";
import { HandledRate } from "./rate.js";
import { RunKeeper, type RunRecord, type Snapshot } from "./record.js";
import { Turns } from "./turns.js";

/** What a run begins with. */
export interface RunStart {
  readonly network: SavedNetwork;
  /** Of one that goes on: where it stood, and what is kept of it. */
  readonly before?: { readonly snapshot: Snapshot; readonly record: RunRecord | undefined } | undefined;
  /** Of a new one that does not begin from chance. */
  readonly values?: StateDict | undefined;
}

const saveEvery = { minutes: 20 / 60 };
const tellEveryMs = 100;

/**
 * A training: a chain of *sittings*, each one call of `fit`. A pause ends a sitting (the steps in flight end, and the run is saved), going on
 * begins the next where that one stood. So there is one way to stop, and what a pause leaves is what a checkpoint holds.
 */
export class Run {
  /** Looks inside: between two steps, or at once where none is taken. */
  readonly turns = new Turns();
  readonly #slot: DeviceSlot;
  readonly #tell: (event: TrainEvent) => void;
  readonly #keeper: RunKeeper;
  readonly #rate: HandledRate;
  readonly #features = new FrozenFeatures();
  #network: SavedNetwork;
  #parts: Parts;
  #state: State | undefined;
  #progress: Progress;
  #curves: Curves;
  #standing: RunState = "preparing";
  #failure: RunFailure | undefined;
  #result: RunResult | undefined;
  #sitting: Promise<void> = Promise.resolve();
  #abort = new AbortController();
  /** It failed because its device was lost. */
  #lost = false;
  #told = 0;

  constructor(
    slot: DeviceSlot,
    { network, before }: RunStart,
    { parts, tell }: { readonly parts: Parts; readonly tell: (event: TrainEvent) => void },
  ) {
    this.#slot = slot;
    this.#tell = tell;
    this.#network = network;
    this.#parts = parts;
    this.#progress = before?.snapshot.progress ?? freshProgress;
    this.#rate = new HandledRate(before?.record?.rates, this.#progress.step);
    const { points = [], epochs = [] } = before?.record ?? {};
    this.#curves = new Curves(this.#size, { points, epochs, step: this.#progress.step });
    this.#keeper = new RunKeeper(network.id, (storage) => tell({ type: "storage", storage }));
    if (this.#isOver) this.#result = resultOf(this.#progress, before?.record?.result);
  }

  get #size() {
    const { training, stepsPerEpoch } = this.#parts;
    return { epochs: training.epochs, batchSize: training.batchSize, stepsPerEpoch };
  }

  get #isOver(): boolean {
    return this.#progress.epoch >= this.#parts.training.epochs;
  }

  /** Whether it holds data and memory of the device. */
  get isOpen(): boolean {
    return this.#state !== undefined;
  }

  get id(): string {
    return this.#network.id;
  }

  get status(): RunStatus {
    const { report, training, stepsPerEpoch, data, spec } = this.#parts;
    return {
      ...{ id: this.id, title: this.#network.title, state: this.#standing, device: report, spec, training },
      ...(this.#network.origin && { origin: this.#network.origin }),
      ...{ data: data.summary, steps: training.epochs * stepsPerEpoch, stepsPerEpoch, rateFactor: this.#rate.factor },
      ...{ live: this.#curves.live, storage: this.#keeper.storage },
      ...(this.#failure && { failure: this.#failure }),
      ...(this.#result && { result: this.#result }),
      ...{ points: this.#curves.points, epochs: this.#curves.epochs },
    };
  }

  /** What a look inside works with. @throws StateError when there is nothing to look at */
  get inside(): Parts & { readonly state: State; readonly step: number } {
    if (this.#state === undefined)
      throw new StateError("There is nothing to look at: the training is not open. Start it or go on with it.");
    return { ...this.#parts, state: this.#state, step: this.#curves.live.step };
  }

  /** Puts the values on the device and begins. One that is over stays as it is. */
  async begin({ before, values }: Pick<RunStart, "before" | "values">): Promise<void> {
    this.#state = await openState(this.#parts, before?.snapshot.values ?? values);
    if (before !== undefined)
      this.#keeper.adopt(before.snapshot.progress, before.record?.saved ?? this.#network.created);
    if (this.#isOver) this.#stand("done");
    else {
      this.#stand("preparing");
      // So that a page that is reloaded in the first seconds finds it.
      if (before === undefined)
        await this.#save("last", { values: await this.#state.read(), progress: this.#progress });
      this.#sit("on");
    }
  }

  async pause(): Promise<void> {
    if (this.#standing === "running" || this.#standing === "preparing") this.#stand("pausing");
    this.#abort.abort();
    await this.#sitting;
  }

  /** Goes on after a pause, or from the last checkpoint after a failure. */
  async resume(): Promise<void> {
    this.#need("paused", "failed");
    if (this.#standing === "failed") await this.#recover();
    this.#sit("on");
    // A page that is closed now was interrupted, not paused.
    await this.#keeper.note(this.#recorded());
  }

  /** One step. */
  async step(): Promise<void> {
    this.#need("paused");
    this.#sit("one step");
    await this.#sitting;
  }

  /** Saves and gives the device's memory back. */
  async close(): Promise<void> {
    await this.pause();
    await this.turns.end();
    this.#state?.dispose();
    this.#state = undefined;
    if (this.#standing === "paused") this.#stand("stopped");
    await this.#keeper.note(this.#recorded());
  }

  /** The network as it was last saved, as a file. @throws as {@link RunKeeper.load} */
  async held(): Promise<HeldNetwork> {
    const { values } = await this.#keeper.load();
    return { about: this.#network, file: networkFile(this.#network, values) };
  }

  async setRate(factor: number): Promise<void> {
    if (!(Number.isFinite(factor) && factor >= 0))
      throw new ArgumentError(`The learning rate's factor is ${factor}; it needs a number, 0 or more`, { factor });
    this.#rate.set(factor);
    this.#stand(this.#standing);
    await this.#keeper.note(this.#recorded());
  }

  #need(...states: readonly RunState[]): void {
    if (states.includes(this.#standing)) return;
    throw new StateError(`The training is ${this.#standing}; for this it has to be ${states.join(" or ")}.`);
  }

  #stand(standing: RunState): void {
    this.#standing = standing;
    const { points, epochs, ...status } = this.status;
    this.#tell({ type: "state", status });
  }

  /** Begins a sitting: to the end or the next pause, or for one step. */
  #sit(mode: "on" | "one step"): void {
    this.#abort = new AbortController();
    this.#failure = undefined;
    this.turns.begin();
    this.#rate.goOnFrom(this.#progress.step);
    this.#curves.restart();
    if (this.#standing !== "preparing") this.#stand("running");
    this.#sitting = this.#fit(mode)
      .then((result) => this.#rest(result))
      .catch((error: Error) => this.#fail(error))
      .finally(() => this.turns.end());
  }

  async #fit(mode: "on" | "one step"): Promise<FitResult> {
    const options = fitOptionsOf(this.#parts);
    const state = this.#state as State;
    const { signal } = this.#abort;
    const tell = (doing: string): void => this.#tell({ type: "preparing", doing });
    // Who pauses meanwhile finds the run as it was: `fit` takes no step then.
    const features = await this.#features.of({ ...this.#parts, state }, { signal, tell }).catch((error: Error) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    return fit({
      ...options,
      ...features,
      device: this.#parts.device,
      state,
      from: this.#progress,
      schedule: this.#rate.over(options.schedule),
      signal,
      checkpoints: { save: (kind, values, progress) => this.#save(kind, { values, progress }) },
      checkpointEvery: saveEvery,
      on: (event) => this.#on(event, mode),
    });
  }

  async #on(event: FitEvent, mode: "on" | "one step"): Promise<void> {
    if (event.type === "compiled") this.#begun(event.ms, mode);
    else if (event.type === "log") this.#curves.log(event);
    else if (event.type === "epoch") {
      this.#tell({ type: "epoch", epoch: this.#curves.epoch(event) });
      this.#tellStep();
    } else if (event.type === "step") {
      this.#curves.step(event);
      if (event.batch === event.batches || performance.now() - this.#told >= tellEveryMs) this.#tellStep();
      await breath();
      if (await this.turns.serve()) this.#curves.restart();
    }
  }

  #begun(ms: number, mode: "on" | "one step"): void {
    // The first step is queued next; whoever wants one alone ends the sitting here.
    if (mode === "one step") this.#abort.abort();
    if (this.#standing !== "preparing") return;
    this.#tell({ type: "compiled", ms });
    this.#stand("running");
  }

  #tellStep(): void {
    this.#told = performance.now();
    this.#tell({ type: "step", live: this.#curves.live, points: this.#curves.takeFresh() });
  }

  /** After a sitting: paused, or done. */
  async #rest({ status, progress, testLoss, testAccuracy, best }: FitResult): Promise<void> {
    this.#progress = progress;
    this.#tellStep();
    if (status === "interrupted") this.#stand("paused");
    else {
      this.#result = { testLoss, testAccuracy, bestEpoch: best?.epoch ?? null };
      this.#network = { ...this.#network, accuracy: testAccuracy ?? accuracyOf(progress) };
      this.#stand("done");
    }
    await this.#keeper.note(this.#recorded(), this.#network);
  }

  async #fail(error: Error): Promise<void> {
    this.#state?.dispose();
    this.#state = undefined;
    this.#lost = error instanceof DeviceLostError;
    // What the reader sets now holds from the checkpoint on.
    this.#rate.goOnFrom(this.#keeper.step);
    const resumable = !(error instanceof ArgumentError);
    this.#failure = { name: error.name, message: error.message, resumable, from: this.#keeper.step };
    this.#tellStep();
    this.#stand("failed");
    await this.#keeper.note(this.#recorded());
  }

  /** Opens a device, which may be a new one, and puts the last checkpoint there. */
  async #recover(): Promise<void> {
    const snapshot = await this.#keeper.load();
    if (this.#lost) await this.#slot.close();
    this.#parts = { ...this.#parts, ...(await this.#slot.open()) };
    this.#state = await openState(this.#parts, snapshot.values);
    this.#progress = snapshot.progress;
    const { points, epochs } = this.#curves;
    this.#curves = new Curves(this.#size, { points, epochs, step: snapshot.progress.step });
  }

  async #save(kind: "last" | "best", snapshot: Snapshot): Promise<void> {
    this.#network = { ...this.#network, accuracy: accuracyOf(snapshot.progress) };
    await this.#keeper.save(kind, snapshot, { network: this.#network, record: this.#recorded(snapshot.progress) });
    this.#curves.restart();
  }

  #recorded(progress: Progress = this.#progress): RunRecord {
    const { steps, points, epochs, result } = this.status;
    return {
      format: "ocelli-playground-run-1",
      state: this.#standing,
      ...{ epoch: progress.epoch, step: progress.step, steps, saved: Date.now() },
      ...{ rates: this.#rate.changes, points, epochs },
      ...(result && { result }),
    };
  }
}

const resultOf = ({ history }: Progress, known: RunResult | undefined): RunResult =>
  known ?? { testLoss: null, testAccuracy: history.at(-1)?.testAccuracy ?? null, bestEpoch: null };
