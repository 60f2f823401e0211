/** Runs jobs one after the other. Callers that ask for a `slot` first are held back while `depth` jobs are waiting or running. */
export class Queue {
  #tail: Promise<unknown> = Promise.resolve();
  /** Jobs waiting or running, and slots handed out that no job fills yet. */
  #pending = 0;
  #waiters: (() => void)[] = [];
  readonly #depth: number;

  constructor(depth = 2) {
    this.#depth = depth;
  }

  /** Takes a slot once one is free, in order of asking. Fill it with {@link add}, or give it back with {@link leave}. */
  async slot(): Promise<void> {
    if (this.#pending >= this.#depth || this.#waiters.length > 0) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    } else this.#pending++;
  }

  /** Gives a slot back. */
  leave(): void {
    this.#pending--;
    if (this.#pending >= this.#depth) return;
    const next = this.#waiters.shift();
    if (next === undefined) return;
    // Taken for the waiter here and now, so that nobody who asks before it wakes can have it.
    this.#pending++;
    next();
  }

  /** Queues a job: in a slot taken before, or in addition to all others. */
  add<T>(job: () => Promise<T> | T, { inSlot = false }: { readonly inSlot?: boolean } = {}): Promise<T> {
    if (!inSlot) this.#pending++;
    const done = this.#tail.then(job).finally(() => this.leave());
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** Resolves when everything added so far has ended, well or not. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
