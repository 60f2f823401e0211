import { signal } from "@preact/signals";
import { type Remote, wrap } from "comlink";
import { breakdownOf } from "../../../workers/breakdown.js";
import type { DeviceReport } from "../../../workers/device.js";
import type { ExperimentName, FrameOf, LessonApi, OptionsOf } from "../../../workers/lesson/worker.js";

export type Phase = "ready" | "running" | "paused" | "finished" | "failed";

/** A frame; or none: there are no more, or another turn has begun. */
type Next<Name extends ExperimentName> = { readonly frame: FrameOf<Name> } | undefined;

/** An experiment as it is watched: asks its worker for frame after frame, and keeps them. */
export class Session<Name extends ExperimentName> {
  readonly phase = signal<Phase>("ready");
  readonly frames = signal<readonly FrameOf<Name>[]>([]);
  readonly problem = signal<string>("");
  readonly device = signal<DeviceReport | undefined>(undefined);
  /** A frame was asked for and has not come yet. */
  readonly waiting = signal(false);
  readonly #name: Name;
  readonly #pace: number;
  #options: OptionsOf<Name>;
  #worker: Worker | undefined;
  #api: Remote<LessonApi> | undefined;
  /** Counts beginnings: what was asked for before the last one comes too late. */
  #turn = 0;
  /** The turn that a loop runs for. */
  #looping: number | undefined;
  #begun = false;
  /** The worker is asked one thing after the other. */
  #last: Promise<unknown> = Promise.resolve();
  /** A frame that was asked for before anybody wants to see it. */
  #ahead: Promise<Next<Name>> | undefined;

  /** @param pace least milliseconds from one frame to the next */
  constructor(name: Name, options: OptionsOf<Name>, pace: number) {
    this.#name = name;
    this.#options = options;
    this.#pace = pace;
  }

  /** Begins anew with other options; goes on running if it ran. */
  change(options: OptionsOf<Name>): void {
    const running = this.phase.value === "running";
    this.#options = options;
    this.reset();
    if (running) this.play();
  }

  reset(): void {
    this.#turn++;
    this.#begun = false;
    this.#ahead = undefined;
    // What failed may hold a device that is gone.
    if (this.phase.value === "failed") this.#drop();
    this.phase.value = "ready";
    this.frames.value = [];
    this.waiting.value = false;
    this.problem.value = "";
  }

  /** Has the first frame computed while the reader reads: networks take seconds to compile. What goes wrong is told when it is started. */
  prepare(): void {
    if (this.phase.value === "ready") this.#lookAhead(this.#turn);
  }

  play(): void {
    if (this.phase.value === "finished" || this.phase.value === "failed") this.reset();
    this.phase.value = "running";
    // After a pause shorter than a frame, the loop before is still there and goes on.
    if (this.#looping !== this.#turn) void this.#run(this.#turn);
  }

  pause(): void {
    if (this.phase.value === "running") this.phase.value = "paused";
  }

  /** One frame. */
  step(): void {
    if (this.phase.value !== "ready" && this.phase.value !== "paused") return;
    this.phase.value = "paused";
    if (!this.waiting.value) void this.#advance(this.#turn);
  }

  /** For good: whatever the worker computes, it stops. */
  close(): void {
    this.#turn++;
    this.#drop();
  }

  async #run(turn: number): Promise<void> {
    this.#looping = turn;
    while (turn === this.#turn && this.phase.value === "running") {
      // A step's frame is still on its way.
      if (!this.waiting.value) await this.#advance(turn);
      await new Promise((resolve) => setTimeout(resolve, this.#pace));
    }
    if (this.#looping === turn) this.#looping = undefined;
  }

  async #advance(turn: number): Promise<void> {
    this.waiting.value = true;
    this.#lookAhead(turn);
    const asked = this.#ahead;
    this.#ahead = undefined;
    try {
      const next = await asked;
      if (turn !== this.#turn) return;
      this.device.value ??= await this.#opened().report();
      if (turn !== this.#turn) return;
      if (next === undefined) this.phase.value = "finished";
      else this.frames.value = [...this.frames.value, next.frame];
      // It is computed while this one is looked at.
      if (this.phase.value === "running") this.#lookAhead(turn);
    } catch (error) {
      if (turn === this.#turn) this.#fail((error as Error).message);
    }
    if (turn === this.#turn) this.waiting.value = false;
  }

  #lookAhead(turn: number): void {
    if (this.#ahead !== undefined) return;
    const before = this.#last;
    this.#ahead = (async () => {
      await before;
      return this.#ask(turn);
    })();
    // Whoever waits for it hears of an error; until then nobody does.
    this.#last = this.#ahead.catch(() => undefined);
  }

  async #ask(turn: number): Promise<Next<Name>> {
    // Of all beginnings that a slider made meanwhile, the last one counts.
    if (turn !== this.#turn) return undefined;
    const api = this.#opened();
    if (!this.#begun) {
      this.#begun = true;
      await api.begin(this.#name, this.#options);
      if (turn !== this.#turn) return undefined;
    }
    return (await api.next()) as Next<Name>;
  }

  #fail(message: string): void {
    this.problem.value = message;
    this.phase.value = "failed";
  }

  #opened(): Remote<LessonApi> {
    if (this.#api !== undefined) return this.#api;
    const worker = new Worker(new URL("../../../workers/lesson/worker.ts", import.meta.url), { type: "module" });
    // One that broke down answers nothing.
    breakdownOf(worker).catch(({ message }: Error) => this.#fail(message));
    this.#worker = worker;
    this.#api = wrap<LessonApi>(worker);
    return this.#api;
  }

  #drop(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#api = undefined;
    // Nothing that was asked of it is ever answered.
    this.#last = Promise.resolve();
    this.#ahead = undefined;
  }
}
