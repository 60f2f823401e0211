import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type * as Comlink from "comlink";
import { builtInSource, type NetworkSource } from "../../store/source.js";
import type { DeviceReport } from "../../workers/device.js";
import type { GivenPicture, LoadedNetwork, Seen, TryApi } from "../../workers/try/api.js";
import { startWorker, type TryClient } from "../../workers/try/client.js";
import { Latest } from "./latest.js";

/** The network that the site brings along. */
export const builtIn = builtInSource();

/** What the page works with; it outlives the page, so that whoever comes back finds it as it was. */
export const source = signal<NetworkSource>(builtIn);
export const picture = signal<GivenPicture | undefined>(undefined);
export const device = signal<DeviceReport | undefined>(undefined);

export const loading = new Latest<LoadedNetwork>();
export const seeing = new Latest<Seen>();

const ready = computed(() => loading.state.value.value);

/** The network, once it is ready and as long as no other one is on its way. */
export const network = (): LoadedNetwork | undefined => ready.value;

/** What the network sees, if it is this network's. */
export function seen(): Seen | undefined {
  const { value } = seeing.state.value;
  return value !== undefined && value.key === network()?.key ? value : undefined;
}

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
export function choose(given: NetworkSource): void {
  source.value = given;
  loading.clear();
  loading.ask(async () => {
    device.value = await worker().open();
    return worker().load(given);
  });
}

/** Shows the network a picture; undefined: takes it away. */
export function show(given: GivenPicture | undefined): void {
  picture.value = given;
}

// A new network looks at the picture that is there.
effect(() => {
  const [given, loaded] = [picture.value, ready.value];
  if (given === undefined) seeing.clear();
  else if (loaded !== undefined) seeing.ask(() => worker().see(loaded.key, given));
});

/** A new worker with a new device, after the old one was lost. Network and picture stay. */
export function restart(): void {
  client?.end();
  client = undefined;
  broken.value = undefined;
  seeing.clear();
  choose(source.peek());
}
