import { batch, computed, signal } from "@preact/signals";
import { hold } from "../../../store/listing.js";
import type { DeviceReport } from "../../../workers/device.js";
import type {
  CurvePoint,
  EpochPoint,
  LiveNumbers,
  RunStatus,
  StartRequest,
  StoredRun,
  TrainEvent,
} from "../../../workers/train/api.js";
import { broken, onTrain, trainer } from "../../../workers/train/client.js";
import { joined } from "./joined.js";

/** The worker's run without what grows or moves: that stands in signals of its own, so that each part of the page follows what it shows. */
export type RunOutline = Omit<RunStatus, "points" | "epochs" | "live">;

export const outline = signal<RunOutline | null>(null);
export const live = signal<LiveNumbers | null>(null);
export const points = signal<readonly CurvePoint[]>([]);
export const epochs = signal<readonly EpochPoint[]>([]);

/** What computes; undefined until it is opened. */
export const device = signal<DeviceReport | undefined>(undefined);
const noDevice = signal<string | undefined>(undefined);
/** Why nothing can compute. */
export const deviceProblem = computed(() => broken.value ?? noDevice.value);

/** What takes its time before a run begins: "Reading pictures, 32 of 200". */
export const preparing = signal<string | undefined>(undefined);

/** What was asked of the worker and could not be done, in its words. */
export const problem = signal<string | undefined>(undefined);

/** Trainings that are stored. */
export const runs = signal<readonly StoredRun[]>([]);

/** Whether the reader sets something up or looks at the run. */
export const showing = signal<"set-up" | "run">("set-up");

export const isActive = computed(() =>
  ["preparing", "running", "pausing", "paused"].includes(outline.value?.state ?? "none"),
);

function take({ points: drawn, epochs: ended, live: numbers, ...rest }: RunStatus): void {
  batch(() => {
    waiting = [];
    outline.value = rest;
    live.value = numbers;
    points.value = drawn;
    epochs.value = ended;
  });
}

function hear(event: TrainEvent): void {
  const before = outline.value;
  batch(() => {
    if (event.type === "preparing") preparing.value = event.doing;
    else if (event.type === "state") {
      const { live: numbers, ...rest } = event.status;
      drawNow();
      if (rest.id !== before?.id) [points.value, epochs.value] = [[], []];
      outline.value = rest;
      live.value = numbers;
      if (rest.state !== "preparing") preparing.value = undefined;
    } else if (event.type === "step") {
      live.value = event.live;
      drawLater(event.points);
    } else if (event.type === "epoch") {
      epochs.value = joined(epochs.value, [event.epoch]);
    } else if (event.type === "storage" && before !== null) {
      outline.value = { ...before, storage: event.storage };
    }
  });
  const ended = event.type === "state" && ["paused", "done", "stopped", "failed"].includes(event.status.state);
  if (ended && event.status.state !== before?.state) void refreshRuns();
}

/** Curves are drawn less often than numbers change: drawing takes longer. */
const drawEvery = 400;
let waiting: readonly CurvePoint[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

function drawLater(added: readonly CurvePoint[]): void {
  waiting = joined(waiting, added);
  timer ??= setTimeout(drawNow, drawEvery);
}

function drawNow(): void {
  clearTimeout(timer);
  timer = undefined;
  points.value = joined(points.value, waiting);
  waiting = [];
}

/** Follows the worker until the function that it gives is called. */
export function followRun(): () => void {
  const stop = onTrain(hear);
  void trainer()
    .status()
    .then((status) => {
      // Without one: it may have been deleted on another page.
      if (status === null) outline.value = null;
      else take(status);
      showing.value = status === null ? "set-up" : "run";
    });
  void trainer()
    .open()
    .then(
      (report) => (device.value = report),
      (error: Error) => (noDevice.value = error.message),
    );
  void refreshRuns();
  return stop;
}

export async function refreshRuns(): Promise<void> {
  try {
    runs.value = await trainer().runs();
  } catch {
    // Said where the data are chosen: the same storage.
    runs.value = [];
  }
}

/** Does something with the worker; what goes wrong is said on the page. @returns whether it went well */
async function attempt(what: () => Promise<void>): Promise<boolean> {
  problem.value = undefined;
  try {
    await what();
    return true;
  } catch (error) {
    problem.value = (error as Error).message;
    return false;
  }
}

/** Asks the worker for something that changes the run. @returns as {@link attempt} */
async function ask(what: () => Promise<RunStatus>): Promise<boolean> {
  const went = await attempt(async () => take(await what()));
  preparing.value = undefined;
  return went;
}

export const pauseRun = (): Promise<boolean> => ask(() => trainer().pause());
export const resumeRun = (): Promise<boolean> => ask(() => trainer().resume());
export const stepRun = (): Promise<boolean> => ask(() => trainer().step());
export const stopRun = (): Promise<boolean> => ask(() => trainer().stop());
export const setRate = (factor: number): Promise<boolean> => ask(() => trainer().setLearningRate(factor));

export async function startRun(request: StartRequest): Promise<void> {
  if (await ask(() => trainer().start(request))) showing.value = "run";
}

export async function continueRun(id: string): Promise<void> {
  if (await ask(() => trainer().continueRun(id))) showing.value = "run";
}

/** Holds the network in memory, where the site's storage does not have it. @returns as {@link attempt} */
export const holdRun = (): Promise<boolean> => attempt(async () => hold(await trainer().held()));

export async function discardRun(id: string): Promise<void> {
  await attempt(async () => {
    await trainer().discardRun(id);
    if (outline.peek()?.id === id) outline.value = null;
  });
  await refreshRuns();
}
