import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type * as Comlink from "comlink";
import { Newest } from "../../newest.js";
import { builtInSource, type NetworkSource } from "../../store/source.js";
import type { DeviceReport } from "../../workers/device.js";
import type { GivenPicture, LoadedNetwork, Seen, TryApi } from "../../workers/try/api.js";
import { startWorker, type TryClient } from "../../workers/try/client.js";

/** The network that the site brings along. */
export const builtIn = builtInSource();

/** What the page works with; it outlives the page, so that whoever comes back finds it as it was. */
export const source = signal<NetworkSource>(builtIn);
export const device = signal<DeviceReport | undefined>(undefined);

export const loading = new Newest<LoadedNetwork>();

const ready = computed(() => loading.state.value.value);

/** The network, once it is ready and as long as no other one is on its way. */
export const network = (): LoadedNetwork | undefined => ready.value;

/** A picture, and what a network sees of it. */
interface Look {
  readonly given: GivenPicture;
  readonly seen: Seen;
}

export const seeing = new Newest<Look>();

/** The newest picture that was not refused: what the network looks at, now or once it is ready. */
const given = signal<GivenPicture | undefined>(undefined);

/** The picture that is shown: the last one that could be read. */
export const picture: ReadonlySignal<GivenPicture | undefined> = computed(() => seeing.state.value.value?.given);

/** What the network sees, if it is this network's. */
export function seen(): Seen | undefined {
  const now = seeing.state.value.value?.seen;
  return now !== undefined && now.key === network()?.key ? now : undefined;
}

const unread = signal<Error | undefined>(undefined);
/** Why the picture that came last cannot be read. The one before it stays. */
export const refusal: ReadonlySignal<Error | undefined> = unread;

let client: TryClient | undefined;

/** The worker: made when it is first asked. */
export function worker(): Comlink.Remote<TryApi> {
  client ??= startWorker(crashed);
  return client.api;
}

const broken = signal<string | undefined>(undefined);
/** Why the worker stopped, if it did. */
export const crash: ReadonlySignal<string | undefined> = broken;

function crashed(message: string): void {
  broken.value = message;
}

/** Chooses a network, and loads it. */
export function choose(wanted: NetworkSource): void {
  source.value = wanted;
  loading.clear();
  loading.ask(async () => {
    const api = await listening();
    device.value = await api.open();
    return api.load(wanted);
  });
}

/** Milliseconds that a busy worker is waited for: another one takes about as long to start. */
const patience = 1000;

/** A worker that listens: one that computes on for the network before cannot be interrupted, and is ended. */
async function listening(): Promise<Comlink.Remote<TryApi>> {
  // The first one is opening its device.
  if (device.peek() === undefined) return worker();
  const heard = worker()
    .open()
    .then(() => true);
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), patience));
  if (!(await Promise.race([heard, late]))) end();
  return worker();
}

/** Ends the worker; whatever it was asked, it answers no more. */
function end(): void {
  client?.end();
  client = undefined;
  broken.value = undefined;
  seeing.clear();
}

/** Whether there is anything to look at, or on its way. */
export const hasPicture = (): boolean => given.peek() !== undefined;

/** Shows the network a picture; undefined: takes it away. */
export function show(wanted: GivenPicture | undefined): void {
  batch(() => {
    unread.value = undefined;
    given.value = wanted;
  });
}

async function look(loaded: LoadedNetwork, wanted: GivenPicture): Promise<Look> {
  try {
    return { given: wanted, seen: await worker().see(loaded.key, wanted) };
  } catch (error) {
    if ((error as Error).name === "FormatError") refuse(wanted, error as Error);
    throw error;
  }
}

/** Back to the picture before, unless another one came meanwhile. */
function refuse(wanted: GivenPicture, error: Error): void {
  if (given.peek() !== wanted) return;
  batch(() => {
    unread.value = error;
    given.value = picture.peek();
  });
}

// A new network looks at the picture that is there.
effect(() => {
  const [wanted, loaded] = [given.value, ready.value];
  const { value: last } = seeing.state.peek();
  if (wanted === undefined) seeing.clear();
  else if (loaded !== undefined && !(last?.given === wanted && last.seen.key === loaded.key))
    seeing.ask(() => look(loaded, wanted));
});

/** A new worker with a new device, after the old one was lost. Network and picture stay. */
export function restart(): void {
  end();
  choose(source.peek());
}
