import type { Backend } from "../src/backend.js";
import { fromNumbers, type HostTensor, toNumbers } from "../src/host.js";
import { prepare } from "../src/reference/index.js";

interface Buffer {
  readonly values: Float64Array;
}

/** A backend that counts what it holds, and whose runs wait for `gate`. */
export class Counting implements Backend<Buffer> {
  readonly info = { name: "counting", adapter: "none", versions: {} };
  readonly live = new Set<Buffer>();
  keepsSpares = true;
  compiled = 0;
  dropped = 0;
  runs = 0;
  overlapping = 0;
  bytes = 10;
  disposed = false;
  gate: Promise<void> = Promise.resolve();
  failure: Error | undefined;
  compileFailure: Error | undefined;
  readonly supports = () => true;

  #made(values: Float64Array): Buffer {
    const buffer = { values };
    this.live.add(buffer);
    return buffer;
  }

  upload(host: HostTensor): Buffer {
    return this.#made(toNumbers(host));
  }

  async download(
    { values }: Buffer,
    spec: { shape: readonly number[]; dtype: HostTensor["dtype"] },
  ): Promise<HostTensor> {
    return fromNumbers(values, spec.shape, spec.dtype);
  }

  free(buffer: Buffer): void {
    if (!this.live.delete(buffer)) throw new Error("freed twice, or never made");
  }

  async compile(graph: Parameters<Backend<Buffer>["compile"]>[0]): ReturnType<Backend<Buffer>["compile"]> {
    if (this.compileFailure !== undefined) throw this.compileFailure;
    this.compiled++;
    const evaluation = prepare([...graph.outputs, ...graph.updates.values()]);
    return {
      bytes: this.bytes,
      dispose: () => void this.dropped++,
      run: async ({ inputs, state }) => {
        if (++this.overlapping > 1) throw new Error("runs overlap");
        await this.gate;
        this.overlapping--;
        this.runs++;
        if (this.failure !== undefined) throw this.failure;
        const feeds = new Map<string, Float64Array>([...inputs].map(([name, host]) => [name, toNumbers(host)]));
        for (const [name, { values }] of state) feeds.set(`state:${name}`, values);
        const results = evaluation.run(feeds).map((values) => this.#made(values));
        const updates = [...graph.updates.keys()].map((name, i) => [name, results[graph.outputs.length + i]!] as const);
        return { outputs: results.slice(0, graph.outputs.length), updates: new Map(updates) };
      },
    };
  }

  dispose(): void {
    this.disposed = true;
  }
}
