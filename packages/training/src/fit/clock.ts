/** Times an epoch's training steps: how fast they are, and for what share of the time the device had nothing to do for want of data. */
export class Clock {
  #start = performance.now();
  #images = 0;
  #waited = 0;
  #running = 0;
  #idleSince = 0;

  restart(): void {
    this.#start = performance.now();
    this.#images = 0;
    this.#waited = 0;
  }

  queued(): void {
    this.#running++;
  }

  finished(images: number): void {
    this.#images += images;
    this.#running--;
    this.#idleSince = performance.now();
  }

  /** Waits for data. Only the time without a step under way counts: data that comes while the device computes costs nothing. */
  async waitFor<T>(data: Promise<T>): Promise<T> {
    const asked = performance.now();
    const value = await data;
    if (this.#running === 0) this.#waited += performance.now() - Math.max(asked, this.#idleSince);
    return value;
  }

  get seconds(): number {
    return Math.max((performance.now() - this.#start) / 1000, 1e-6);
  }

  get imagesPerSecond(): number {
    return this.#images / this.seconds;
  }

  /** Share of the time, 0 to 1. */
  get waiting(): number {
    return Math.min(1, this.#waited / 1000 / this.seconds);
  }
}
