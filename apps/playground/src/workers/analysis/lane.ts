/** What a question ends with when a newer one came: nothing to show, nothing went wrong. */
export class Superseded extends Error {
  override readonly name = "Superseded";

  constructor() {
    super("a newer question was asked");
  }
}

/** Somebody who answers, and how to stop them. */
export interface Answerer<Api> {
  readonly api: Api;
  /** Never resolves; rejects when they answer nothing any more. */
  readonly broken?: Promise<never>;
  close(): void;
}

interface Question<Api> {
  readonly ask: (api: Api) => Promise<unknown>;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Milliseconds that an outdated answer is waited for before its worker is ended: starting another costs about as much. */
const patience = 400;

/**
 * Asks a worker one thing at a time. The newest question wins: an older one ends with {@link Superseded} at once, and what still computes
 * for it is ended when it takes long, since a worker cannot be interrupted otherwise.
 */
export class Lane<Api> {
  readonly #open: () => Answerer<Api>;
  #answerer: Answerer<Api> | undefined;
  #running: Question<Api> | undefined;
  #waiting: Question<Api> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(open: () => Answerer<Api>) {
    this.#open = open;
  }

  /** @throws Superseded, and whatever the worker throws */
  ask<Answer>(question: (api: Api) => Promise<Answer>): Promise<Answer> {
    for (const older of [this.#running, this.#waiting]) older?.reject(new Superseded());
    return new Promise<Answer>((resolve, reject) => {
      this.#waiting = { ask: question, resolve: resolve as (answer: unknown) => void, reject };
      if (this.#running === undefined) this.#next();
      else this.#timer ??= setTimeout(() => this.#abandon(), patience);
    });
  }

  /** Ends the worker; the next question starts another. */
  close(): void {
    for (const question of [this.#running, this.#waiting]) question?.reject(new Superseded());
    this.#waiting = undefined;
    this.#abandon();
  }

  #abandon(): void {
    this.#answerer?.close();
    this.#answerer = undefined;
    this.#next();
  }

  #opened(): Answerer<Api> {
    const answerer = this.#open();
    answerer.broken?.catch(() => {
      // The next question opens another.
      if (this.#answerer === answerer) this.#answerer = undefined;
    });
    return answerer;
  }

  #next(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const question = this.#waiting;
    this.#waiting = undefined;
    this.#running = question;
    if (question === undefined) return;
    const done = (): void => {
      if (this.#running === question) this.#next();
    };
    this.#answerer ??= this.#opened();
    const { api, broken } = this.#answerer;
    Promise.race([question.ask(api), ...(broken === undefined ? [] : [broken])])
      .then(question.resolve, question.reject)
      .finally(done);
  }
}
