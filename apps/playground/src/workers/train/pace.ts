/** Speed over the last seconds of training. Pauses, evaluation and looks inside are no part of it: whoever makes one says `restart`. */
export class Pace {
  readonly #now: () => number;
  readonly #window: number;
  /** Ends of steps: when, and images in all. */
  #marks: { readonly time: number; readonly images: number }[] = [];
  #last: number | null = null;

  constructor({ now = () => performance.now(), window = 5000 } = {}) {
    this.#now = now;
    this.#window = window;
  }

  /** What comes next begins now. */
  restart(): void {
    this.#marks = [];
  }

  /** A step's images are done. */
  add(images: number): void {
    const time = this.#now();
    const before = this.#marks.at(-1)?.images ?? 0;
    this.#marks.push({ time, images: before + images });
    // The one before the window is its beginning.
    while (this.#marks.length > 2 && time - (this.#marks[1] as { time: number }).time >= this.#window)
      this.#marks.shift();
    const [first] = this.#marks as [{ time: number; images: number }];
    if (time > first.time) this.#last = (1000 * (before + images - first.images)) / (time - first.time);
  }

  /** Null until two steps have ended; through a pause, what it was before. */
  get imagesPerSecond(): number | null {
    return this.#last;
  }
}
