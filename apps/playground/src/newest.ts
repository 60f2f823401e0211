import { type ReadonlySignal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

/** Where a question stands. The last answer stays until the next one comes, and where that fails: pictures do not flicker. */
export interface Asked<T> {
  readonly value: T | undefined;
  readonly busy: boolean;
  /** What the newest question came to, if it failed; it stands until the next answer. */
  readonly error: Error | undefined;
}

const nothing = { value: undefined, busy: false, error: undefined };

/**
 * Questions that come faster than their answers: one is under way, and of those that wait only the newest is asked. So a slow device shows
 * every so often what it has, and in the end the answer to the last question. Who wants no more of the one under way clears first.
 *
 * (`Lane`, of the analysis worker, is for those who wait for an answer of their own: it refuses them when a newer question comes, and ends
 * a worker that computes on for nobody. Here nobody waits: answers are seen where they come in.)
 */
export class Newest<T> {
  readonly #state = signal<Asked<T>>(nothing);
  #next: (() => Promise<T>) | undefined;
  #running = false;
  /** Counts how often all was forgotten. */
  #era = 0;

  get state(): ReadonlySignal<Asked<T>> {
    return this.#state;
  }

  ask(question: () => Promise<T>): void {
    this.#next = question;
    if (!this.#running) void this.#run();
  }

  /** Forgets what there was. Nobody waits for an answer that is under way: whoever should give it may be gone. */
  clear(): void {
    this.#era++;
    this.#next = undefined;
    this.#running = false;
    this.#state.value = nothing;
  }

  async #run(): Promise<void> {
    this.#running = true;
    const era = this.#era;
    while (this.#next !== undefined) {
      const question = this.#next;
      this.#next = undefined;
      this.#state.value = { ...this.#state.peek(), busy: true };
      const answer = await question().then(
        (value) => ({ value, error: undefined }),
        (error: Error) => ({ error }),
      );
      if (era !== this.#era) return;
      this.#state.value = { ...this.#state.peek(), ...answer, busy: this.#next !== undefined };
    }
    this.#running = false;
  }
}

/** One for as long as its component is there. */
export function useNewest<T>(): Newest<T> {
  const newest = useMemo(() => new Newest<T>(), []);
  useEffect(() => () => newest.clear(), []);
  return newest;
}
