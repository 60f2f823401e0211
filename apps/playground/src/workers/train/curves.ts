import type { EpochEvent, LogEvent, StepEvent } from "@ocelli/training";
import type { CurvePoint, EpochPoint, LiveNumbers } from "./api.js";
import { Pace } from "./pace.js";

/** Lengths of a run. */
export interface RunSize {
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly batchSize: number;
}

/** What is drawn of a run: its curves, and where it is now. */
export class Curves {
  readonly points: CurvePoint[];
  readonly epochs: EpochPoint[];
  #size: RunSize;
  #live: LiveNumbers;
  readonly #pace: Pace;
  /** Points that nobody has been told of. */
  #fresh: CurvePoint[] = [];
  /** When the last step of an epoch ended. */
  #stepped = 0;
  #evaluationSeconds = 0;
  readonly #now: () => number;

  /** @param before what the run had, up to the step that it goes on from */
  constructor(
    size: RunSize,
    before: { readonly points: readonly CurvePoint[]; readonly epochs: readonly EpochPoint[]; readonly step: number },
    now: () => number = () => performance.now(),
  ) {
    const { step } = before;
    this.#size = size;
    this.#now = now;
    this.#pace = new Pace({ now });
    this.points = before.points.filter((point) => point.step <= step);
    this.epochs = before.epochs.filter((epoch) => epoch.step <= step);
    const { loss = null, accuracy = null, lr = null } = this.points.at(-1) ?? {};
    this.#live = {
      ...{ epoch: step / size.stepsPerEpoch, step, loss, accuracy, lr },
      ...{ imagesPerSecond: null, secondsLeft: null, waiting: null, evaluating: false },
    };
  }

  get live(): LiveNumbers {
    return this.#live;
  }

  /** The run stood still, or did something else. */
  restart(): void {
    this.#pace.restart();
  }

  step({ epoch, batch, batches, step, loss, accuracy, lr, waiting }: StepEvent): void {
    this.#pace.add(this.#size.batchSize);
    this.#stepped = this.#now();
    const evaluating = batch === batches;
    const { imagesPerSecond } = this.#pace;
    const at = epoch - 1 + batch / batches;
    this.#live = { epoch: at, step, loss, accuracy, lr, imagesPerSecond, secondsLeft: null, waiting, evaluating };
    this.#live = { ...this.#live, secondsLeft: this.#secondsLeft() };
  }

  log({ epoch, batch, step, loss, accuracy, lr }: LogEvent): void {
    const point = { step, epoch: epoch - 1 + batch / this.#size.stepsPerEpoch, loss, accuracy, lr };
    this.points.push(point);
    this.#fresh.push(point);
  }

  epoch(event: EpochEvent): EpochPoint {
    const { type, imagesPerSecond, waiting, seconds, ...point } = event;
    this.#evaluationSeconds = (this.#now() - this.#stepped) / 1000;
    this.epochs.push(point);
    this.#live = { ...this.#live, epoch: event.epoch, evaluating: false, secondsLeft: this.#secondsLeft() };
    this.restart();
    return point;
  }

  /** Points since the last time that they were taken. */
  takeFresh(): readonly CurvePoint[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  #secondsLeft(): number | null {
    const { imagesPerSecond } = this.#pace;
    if (imagesPerSecond === null) return null;
    const { epochs, stepsPerEpoch, batchSize } = this.#size;
    const images = (epochs * stepsPerEpoch - this.#live.step) * batchSize;
    return images / imagesPerSecond + (epochs - this.epochs.length) * this.#evaluationSeconds;
  }
}
