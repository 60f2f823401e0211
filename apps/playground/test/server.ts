import type { AddressInfo } from "node:net";
import { preview } from "vite";
import { isolation } from "../isolation.js";

export interface Site {
  /** Ends with a slash. */
  readonly url: string;
  /** Afterwards nobody answers there. */
  close(): Promise<void>;
}

export interface ServeOptions {
  /** Path under which the site lies; "/" unless told otherwise. */
  readonly base?: string;
  /** Left out: the headers that isolate pages, which give them threads. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Left out: a free one. */
  readonly port?: number;
}

/** Serves a built site as any host of files would. */
export async function serve(folder: string, options: ServeOptions = {}): Promise<Site> {
  const { base = "/", headers = isolation, port = 0 } = options;
  const server = await preview({
    configFile: false,
    logLevel: "error",
    base,
    // What is not there is not there: no page in its stead.
    appType: "mpa",
    build: { outDir: folder },
    // Vite reads 0 as "none given", so the free port is looked for above one that others rarely take.
    preview: { host: "127.0.0.1", port: port || 4300, strictPort: port !== 0, headers: { ...headers } },
  });
  const { port: taken } = server.httpServer.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= server.close();
    return closed;
  };
  return { url: `http://127.0.0.1:${taken}${base}`, close };
}
