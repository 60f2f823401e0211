/** Tasks that want a moment in which nothing else happens. Whoever runs gives such moments (`serve`); while nobody runs, they come at once. */
export class Turns {
  readonly #waiting: (() => Promise<void>)[] = [];
  #busy = false;
  #last: Promise<unknown> = Promise.resolve();

  /** Runs a task in its turn. @throws what the task throws */
  take<T>(task: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // Whatever a task throws, and when, is its own: those that wait behind it have their turn.
      this.#waiting.push(async () => {
        try {
          resolve(await task());
        } catch (error) {
          reject(error);
        }
      });
      if (!this.#busy) void this.serve();
    });
  }

  /** Somebody runs: tasks wait for the moments that it gives. */
  begin(): void {
    this.#busy = true;
  }

  /** Nobody runs any more. */
  async end(): Promise<void> {
    this.#busy = false;
    await this.serve();
  }

  /** A moment for all that wait. True when there was something to do. */
  async serve(): Promise<boolean> {
    const some = this.#waiting.length > 0;
    // One after the other, whoever serves.
    this.#last = this.#last.then(async () => {
      // Those that are here now: who comes meanwhile waits for the next moment.
      for (const task of this.#waiting.splice(0)) await task();
    });
    await this.#last;
    return some;
  }
}
