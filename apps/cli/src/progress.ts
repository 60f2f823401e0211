import type { EpochSummary, FitEvent } from "@ocelli/training";
import type { DatasetProgress } from "@ocelli/training/node";
import cliProgress from "cli-progress";
import { type Io, note, type Output, print, printJson } from "./io.js";
import { colors, formatDuration, formatInteger, formatLoss, formatPercent, hasUnicode, widthOf } from "./terminal.js";

type StepEvent = Extract<FitEvent, { type: "step" }>;

/** Shows how a training goes. */
export interface TrainReporter {
  on(event: FitEvent): void;
  /** Shows no more, and leaves the terminal as it was. */
  stop(): void;
}

/** One that fits where the output goes: a program, a terminal, or a file. */
export function trainReporter(
  io: Io,
  { json, batchSize }: { readonly json: boolean; readonly batchSize: number },
): TrainReporter {
  if (json) return jsonReporter(io);
  return io.stdout.isTTY ? barReporter(io, batchSize) : lineReporter(io, batchSize);
}

function jsonReporter(io: Io): TrainReporter {
  return {
    on: (event) => {
      if (event.type !== "epoch") return;
      const { epoch, trainLoss, trainAccuracy, testLoss, testAccuracy, imagesPerSecond } = event;
      printJson(io, { event: "epoch", epoch, trainLoss, trainAccuracy, testLoss, testAccuracy, imagesPerSecond });
    },
    stop: () => undefined,
  };
}

const titles = ["epoch", "train loss", "accuracy", "test loss", "accuracy", "images/s"] as const;
const widths = [7, 10, 9, 9, 9, 9] as const;
const row = (cells: readonly string[]): string => cells.map((cell, i) => cell.padStart(widths[i] as number)).join("  ");

type Row = EpochSummary & { readonly imagesPerSecond?: number };

/** Epochs from before a resume know no speed. */
function epochRow(
  { epoch, trainLoss, trainAccuracy, testLoss, testAccuracy, imagesPerSecond }: Row,
  epochs: number,
): string {
  return row([
    `${epoch}/${epochs}`,
    formatLoss(trainLoss),
    formatPercent(trainAccuracy),
    testLoss === null ? "-" : formatLoss(testLoss),
    testAccuracy === null ? "-" : formatPercent(testAccuracy),
    imagesPerSecond === undefined ? "-" : formatInteger(imagesPerSecond),
  ]);
}

/** What both kinds for people share: the table, and counting what is left. */
class Table {
  readonly #io: Io;
  readonly #batchSize: number;
  epochs = 0;
  steps = 0;
  batches = 0;

  constructor(io: Io, batchSize: number) {
    this.#io = io;
    this.#batchSize = batchSize;
  }

  start(event: Extract<FitEvent, { type: "start" }>): void {
    this.epochs = event.epochs;
    this.steps = event.steps;
    this.batches = event.batches;
    print(this.#io, colors(this.#io).dim(row(titles)));
    for (const past of event.from.history) this.add(past);
  }

  add(summary: Row): void {
    print(this.#io, epochRow(summary, this.epochs));
  }

  /** Seconds until the last step; evaluation is not counted. */
  left({ step, imagesPerSecond }: StepEvent): number {
    return ((this.steps - step) * this.#batchSize) / Math.max(imagesPerSecond, 1e-3);
  }
}

const linesEvery = 30_000;

/** For a pipe: a line an epoch, and one every half minute in between. */
function lineReporter(io: Io, batchSize: number): TrainReporter {
  const table = new Table(io, batchSize);
  let last = performance.now();
  const between = (event: StepEvent): void => {
    if (performance.now() - last < linesEvery || event.batch === event.batches) return;
    last = performance.now();
    const { epoch, batch, batches, loss, accuracy } = event;
    const state = `loss ${formatLoss(loss)}, accuracy ${formatPercent(accuracy)}, ${formatInteger(event.imagesPerSecond)} images/s`;
    print(io, `  epoch ${epoch}, batch ${batch} of ${batches}: ${state}, ${formatDuration(table.left(event))} left`);
  };
  return {
    on: (event) => {
      if (event.type === "start") table.start(event);
      if (event.type === "step") between(event);
      if (event.type === "epoch") {
        last = performance.now();
        table.add(event);
      }
    },
    stop: () => undefined,
  };
}

/** For a terminal: a bar below the table of finished epochs. */
function barReporter(io: Io, batchSize: number): TrainReporter {
  const table = new Table(io, batchSize);
  const bar = new Bar(io, io.stdout);
  // A single batch says little: what is shown is an average over the last hundred or so.
  const smooth = { epoch: 0, loss: 0, accuracy: 0, count: 0 };
  const step = (event: StepEvent): void => {
    if (smooth.epoch !== event.epoch) Object.assign(smooth, { epoch: event.epoch, loss: 0, accuracy: 0, count: 0 });
    const weight = 1 / Math.min(++smooth.count, 100);
    smooth.loss += weight * (event.loss - smooth.loss);
    smooth.accuracy += weight * (event.accuracy - smooth.accuracy);
    const { epoch, batch, batches, imagesPerSecond } = event;
    const texts = [
      `loss ${formatLoss(smooth.loss)}`,
      formatPercent(smooth.accuracy, 1),
      `${formatInteger(imagesPerSecond)} images/s`,
      batch === batches ? "testing ..." : `${formatDuration(table.left(event))} left`,
    ];
    bar.show(`epoch ${epoch}/${table.epochs}`, batch, batches, texts);
  };
  return {
    on: (event) => {
      if (event.type === "start") {
        table.start(event);
        const { epoch, batch } = event.from;
        if (epoch < event.epochs)
          bar.show(`epoch ${epoch + 1}/${event.epochs}`, batch, event.batches, ["compiling ..."]);
      } else if (event.type === "step") step(event);
      else if (event.type === "epoch") {
        bar.stop();
        table.add(event);
      }
    },
    stop: () => bar.close(),
  };
}

/** One bar, as wide as the terminal allows. Made anew by the first `show` after a `stop`. */
class Bar {
  readonly #io: Io;
  readonly #stream: Output;
  #bar: cliProgress.SingleBar | undefined;
  #closed = false;

  constructor(io: Io, stream: Output) {
    this.#io = io;
    this.#stream = stream;
  }

  show(label: string, value: number, total: number, texts: readonly string[]): void {
    const payload = { label, texts };
    if (this.#closed) return;
    if (this.#bar === undefined) {
      this.#bar = new cliProgress.SingleBar({
        stream: this.#stream,
        format: (_, params, shown) => this.#format(params.progress, shown as typeof payload),
        clearOnComplete: true,
        hideCursor: true,
        // Ctrl-C is the command's own to handle.
        gracefulExit: false,
        emptyOnZero: true,
      });
      this.#bar.start(total, value, payload);
    } else this.#bar.update(value, payload);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  /** For good. */
  close(): void {
    this.stop();
    this.#closed = true;
  }

  #format(progress: number, { label, texts }: { readonly label: string; readonly texts: readonly string[] }): string {
    const { cyan, dim } = colors(this.#io, this.#stream);
    const [full, empty] = hasUnicode(this.#io) ? ["━", "─"] : ["#", "-"];
    const tail = texts.join("  ");
    const room = widthOf(this.#stream) - label.length - tail.length - 12;
    const size = Math.min(30, room);
    const percent = `${Math.floor(100 * progress)} %`.padStart(5);
    if (size < 5) return `${label} ${percent}  ${tail}`.slice(0, widthOf(this.#stream) - 1);
    const done = Math.round(size * progress);
    return `${label}  ${cyan(full.repeat(done))}${dim(empty.repeat(size - done))} ${percent}  ${tail}`;
  }
}

/** Shows downloads on stderr: a bar on a terminal, a line a file elsewhere. */
export function downloadProgress(io: Io): { update(progress: DatasetProgress): void; stop(): void } {
  const bar = new Bar(io, io.stderr);
  let file: string | undefined;
  return {
    update: (progress) => {
      const { received, total, rate, index, count } = progress;
      const name = count > 1 ? `${progress.file} (${index} of ${count})` : progress.file;
      if (!io.stderr.isTTY) {
        if (file !== progress.file) note(io, `downloading ${name}`);
        file = progress.file;
        return;
      }
      const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
      const left = total !== undefined && rate > 0 ? [`${formatDuration((total - received) / rate)} left`] : [];
      const size = total === undefined ? megabytes(received) : `${megabytes(received)} of ${megabytes(total)}`;
      if (file !== progress.file) bar.stop();
      file = progress.file;
      bar.show(name, received, total ?? Number.MAX_SAFE_INTEGER, [
        size,
        ...(rate > 0 ? [`${megabytes(rate)}/s`] : []),
        ...left,
      ]);
    },
    stop: () => bar.stop(),
  };
}
