import { type Signal, signal } from "@preact/signals";

/** Where a question stands. The value before stays until the next one comes: pictures do not flicker. */
export interface Asked<T> {
  readonly value: T | undefined;
  readonly busy: boolean;
  readonly error: Error | undefined;
}

/**
 * Questions that come faster than their answers: one is under way, and of those that wait only the newest is asked. So a slow device shows
 * every so often what it has, and in the end the answer to the last question.
 */
export class Latest<T> {
  readonly state: Signal<Asked<T>> = signal<Asked<T>>({ value: undefined, busy: false, error: undefined });
  #next: (() => Promise<T>) | undefined;
  #running = false;
  /** Counts how often all was forgotten. */
  #era = 0;

  ask(question: () => Promise<T>): void {
    this.#next = question;
    if (!this.#running) void this.#run();
  }

  /** Forgets what there was. Nobody waits for an answer that is under way: whoever should give it may be gone. */
  clear(): void {
    this.#era++;
    this.#next = undefined;
    this.#running = false;
    this.state.value = { value: undefined, busy: false, error: undefined };
  }

  async #run(): Promise<void> {
    this.#running = true;
    const era = this.#era;
    while (this.#next !== undefined) {
      const question = this.#next;
      this.#next = undefined;
      this.state.value = { ...this.state.peek(), busy: true };
      const answer = await question().then(
        (value) => ({ value, error: undefined }),
        (error: Error) => ({ value: undefined, error }),
      );
      if (era !== this.#era) return;
      this.#take(answer);
    }
    this.#running = false;
  }

  #take({ value, error }: { readonly value: T | undefined; readonly error: Error | undefined }): void {
    const busy = this.#next !== undefined;
    // About a network that is gone: the next question is on its way.
    if (error?.name === "StaleError") this.state.value = { ...this.state.peek(), busy };
    else this.state.value = { value, busy, error };
  }
}
