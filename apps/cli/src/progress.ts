import type { EpochSummary, FitEvent, Pace, StepEvent } from "@ocelli/training";
import type { DatasetProgress } from "@ocelli/training/node";
import cliProgress from "cli-progress";
import { type Io, note, type Output, print, printJson } from "./io.js";
import { colors, formatDuration, formatInteger, formatLoss, formatPercent, hasUnicode, widthOf } from "./terminal.js";

/** Shows how a training goes. */
export interface TrainReporter {
  on(event: FitEvent): void;
  /** Shows no more, and leaves the terminal as it was. */
  stop(): void;
}

export interface TrainReporterOptions {
  readonly json: boolean;
  /** What epochs are judged by. */
  readonly judge: "validation" | "test";
}

/** One that fits where the output goes: a program, a terminal, or a file. */
export function trainReporter(io: Io, { json, judge }: TrainReporterOptions): TrainReporter {
  if (json) return jsonReporter(io);
  return io.stdout.isTTY ? barReporter(io, judge) : lineReporter(io, judge);
}

function jsonReporter(io: Io): TrainReporter {
  return {
    on: ({ type, ...event }) => {
      if (type === "epoch") printJson(io, { event: type, ...event });
    },
    stop: () => undefined,
  };
}

const widths = [7, 10, 9, 9, 9, 9] as const;
const row = (cells: readonly string[]): string => cells.map((cell, i) => cell.padStart(widths[i] as number)).join("  ");

type Row = EpochSummary & Partial<Pace>;

/** Epochs from before a resume know no speed. */
function epochRow(summary: Row, epochs: number): string {
  const { epoch, trainLoss, trainAccuracy, imagesPerSecond, waiting = 0 } = summary;
  const loss = summary.validationLoss ?? summary.testLoss;
  const accuracy = summary.validationAccuracy ?? summary.testAccuracy;
  const cells = row([
    `${epoch}/${epochs}`,
    formatLoss(trainLoss),
    formatPercent(trainAccuracy),
    loss === null ? "-" : formatLoss(loss),
    accuracy === null ? "-" : formatPercent(accuracy),
    imagesPerSecond === undefined ? "-" : formatInteger(imagesPerSecond),
  ]);
  return [cells, ...waitingText(waiting)].join("  ");
}

/** Nothing to say where data is as good as always there. */
const waitingText = (waiting: number): string[] => (waiting > 0.01 ? [`waiting ${formatPercent(waiting, 0)}`] : []);

/** What both kinds for people share. */
class Table {
  readonly #io: Io;
  readonly #judge: TrainReporterOptions["judge"];
  epochs = 0;

  constructor(io: Io, judge: TrainReporterOptions["judge"]) {
    this.#io = io;
    this.#judge = judge;
  }

  start({ epochs, from }: Extract<FitEvent, { type: "start" }>): void {
    this.epochs = epochs;
    const judged = this.#judge === "test" ? "test loss" : "val. loss";
    const titles = ["epoch", "train loss", "accuracy", judged, "accuracy", "images/s"];
    print(this.#io, colors(this.#io).dim(row(titles)));
    for (const past of from.history) this.add(past);
  }

  add(summary: Row): void {
    print(this.#io, epochRow(summary, this.epochs));
  }
}

const linesEvery = 30_000;

/** For a pipe: a line an epoch, and one every half minute in between. */
function lineReporter(io: Io, judge: TrainReporterOptions["judge"]): TrainReporter {
  const table = new Table(io, judge);
  let last = performance.now();
  const between = ({ epoch, batch, batches, loss, accuracy, ...event }: StepEvent): void => {
    if (performance.now() - last < linesEvery || batch === batches) return;
    last = performance.now();
    const parts = [
      `loss ${formatLoss(loss)}`,
      `accuracy ${formatPercent(accuracy)}`,
      `${formatInteger(event.imagesPerSecond)} images/s`,
      ...waitingText(event.waiting),
      `${formatDuration(event.secondsLeft)} left`,
    ];
    print(io, `  epoch ${epoch}/${table.epochs}, batch ${batch} of ${batches}: ${parts.join(", ")}`);
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
function barReporter(io: Io, judge: TrainReporterOptions["judge"]): TrainReporter {
  const table = new Table(io, judge);
  const bar = new Bar(io, io.stdout);
  // A single batch says little: what is shown is an average over the last hundred or so.
  const smooth = { epoch: 0, loss: 0, accuracy: 0, count: 0 };
  const step = (event: StepEvent): void => {
    if (smooth.epoch !== event.epoch) Object.assign(smooth, { epoch: event.epoch, loss: 0, accuracy: 0, count: 0 });
    const weight = 1 / Math.min(++smooth.count, 100);
    smooth.loss += weight * (event.loss - smooth.loss);
    smooth.accuracy += weight * (event.accuracy - smooth.accuracy);
    const { epoch, batch, batches, imagesPerSecond, waiting, secondsLeft } = event;
    const texts = [
      `loss ${formatLoss(smooth.loss)}`,
      formatPercent(smooth.accuracy, 1),
      `${formatInteger(imagesPerSecond)} images/s`,
      ...waitingText(waiting),
      batch === batches ? "evaluating ..." : `${formatDuration(secondsLeft)} left`,
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
export class Bar {
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
