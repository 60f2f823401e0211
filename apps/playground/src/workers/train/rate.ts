import type { Schedule, SchedulePoint } from "@ocelli/training";

/** The reader set the learning rate: from this step on (0 is the first), it is the schedule's times `factor`. */
export interface RateChange {
  readonly step: number;
  readonly factor: number;
}

/** A schedule under the reader's hand. What was set is data (`changes`), so that a resumed run goes on with it, to the bit. */
export class HandledRate {
  #changes: readonly RateChange[];
  /** The latest step whose rate is decided. */
  #asked: number;

  /** @param step that comes next */
  constructor(changes: readonly RateChange[] = [], step = 0) {
    this.#changes = changes;
    this.#asked = step - 1;
  }

  get changes(): readonly RateChange[] {
    return this.#changes;
  }

  /** The last factor that was set. */
  get factor(): number {
    return this.#changes.at(-1)?.factor ?? 1;
  }

  /** From the next step on whose rate nobody has asked for yet. */
  set(factor: number): void {
    const step = this.#asked + 1;
    this.#changes = [...this.#changes.filter((change) => change.step < step), { step, factor }];
  }

  /** The run goes on before this step, which may be one that it has had already: a checkpoint's. What was set later is kept until it is set again. */
  goOnFrom(step: number): void {
    this.#asked = step - 1;
  }

  /** `schedule` times what was set. */
  over(schedule: Schedule): Schedule {
    return {
      ...schedule,
      factor: (at) => {
        const step = stepOf(at);
        this.#asked = Math.max(this.#asked, step);
        return schedule.factor(at) * this.#factorAt(step);
      },
    };
  }

  #factorAt(step: number): number {
    return this.#changes.filter((change) => change.step <= step).at(-1)?.factor ?? 1;
  }
}

const stepOf = ({ epoch, batches }: SchedulePoint): number => Math.round(epoch * batches);
