import { type Backend, createDevice, type Executable, type ProgramGraph } from "../backend.js";
import type { Device } from "../device.js";
import { fromNumbers, toNumbers } from "../host.js";
import { type EvaluateOptions, prepare, supports } from "./evaluate.js";
import type { Values } from "./kernel.js";

/**
 * The reference device: plain loops on the host, in float64 also between the steps of a training. Slow, exact and everywhere.
 * With `precision: "float32"` every result is rounded to its dtype.
 */
export async function reference(options: EvaluateOptions = {}): Promise<Device> {
  const backend: Backend<Values> = {
    info: { name: "reference", adapter: `${options.precision ?? "float64"} on the host`, threads: 1, versions: {} },
    supports,
    upload: toNumbers,
    download: async (values, { shape, dtype }) => fromNumbers(values, shape, dtype),
    free: () => undefined,
    compile: async (graph) => compile(graph, options),
    dispose: () => undefined,
  };
  return createDevice(backend);
}

function compile(graph: ProgramGraph, options: EvaluateOptions): Executable<Values> {
  const names = [...graph.updates.keys()];
  const evaluation = prepare([...graph.outputs, ...graph.updates.values()], options);
  return {
    bytes: 0,
    run: async ({ inputs, state }) => {
      const feeds = new Map<string, Values>([...inputs].map(([name, host]) => [name, toNumbers(host)]));
      for (const [name, values] of state) feeds.set(`state:${name}`, values);
      const results = evaluation.run(feeds);
      const updates = results.slice(graph.outputs.length).map((values, i) => [names[i] as string, values] as const);
      return { outputs: results.slice(0, graph.outputs.length), updates: new Map(updates) };
    },
    dispose: () => undefined,
  };
}
