import * as Comlink from "comlink";
import { breakdownOf } from "../breakdown.js";
import type { ExportApi } from "./api.js";

interface Client {
  readonly api: Comlink.Remote<ExportApi>;
  /** See `breakdownOf`. */
  readonly broken: Promise<never>;
}

let client: Client | undefined;

/** Asks the worker, which the first question makes; when it breaks down, the next question makes another one. */
export function ask<T>(question: (api: Comlink.Remote<ExportApi>) => Promise<T>): Promise<T> {
  client ??= start();
  const { api, broken } = client;
  return Promise.race([question(api), broken]);
}

function start(): Client {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "export" });
  const broken = breakdownOf(worker);
  broken.catch(() => {
    client = undefined;
  });
  return { api: Comlink.wrap<ExportApi>(worker), broken };
}
