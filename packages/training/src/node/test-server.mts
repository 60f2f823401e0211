import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

// An .mts file: the build takes src/**/*.ts, and this is for tests only.

/** How a file is served. */
export interface Serving {
  readonly bytes: Uint8Array;
  /** Answer requests for a range with everything. */
  readonly noRange?: boolean;
  /** Send no Content-Length. */
  readonly noLength?: boolean;
  /** Close the connection after so many bytes of a response. A list: one entry a request, then whole. */
  readonly cutAfter?: readonly number[];
  /** Stop sending, but keep the connection, after so many bytes. */
  readonly stallAfter?: number;
  readonly status?: number;
}

/** A web server on 127.0.0.1 for tests, with all the ways a server can disappoint. */
export class TestServer implements AsyncDisposable {
  readonly files = new Map<string, Serving>();
  /** `/path range-or-dash`, one a request. */
  readonly requests: string[] = [];
  readonly #server: Server;
  readonly #cuts = new Map<string, number>();

  constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    this.requests.push(`${path} ${request.headers.range ?? "-"}`);
    const serving = this.files.get(path);
    if (!serving) return void response.writeHead(404).end("not here");
    if (serving.status) return void response.writeHead(serving.status).end();
    const { bytes } = serving;
    const from = serving.noRange ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    if (from >= bytes.length && from > 0) {
      return void response.writeHead(416, { "content-range": `bytes */${bytes.length}` }).end();
    }
    const body = bytes.subarray(from);
    const headers: Record<string, string | number> = serving.noLength ? {} : { "content-length": body.length };
    if (from > 0) headers["content-range"] = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(from > 0 ? 206 : 200, headers);
    this.#send(path, serving, body, response);
  }

  #send(path: string, { cutAfter, stallAfter }: Serving, body: Uint8Array, response: ServerResponse): void {
    const number = this.#cuts.get(path) ?? 0;
    this.#cuts.set(path, number + 1);
    const cut = cutAfter?.[number];
    if (cut !== undefined) response.write(body.subarray(0, cut), () => setTimeout(() => response.destroy(), 20));
    else if (stallAfter !== undefined) response.write(body.subarray(0, stallAfter));
    else response.end(body);
  }
}
