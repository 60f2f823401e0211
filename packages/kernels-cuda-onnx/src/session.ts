import { DeviceError } from "@ocelli/core";
import type { Provider, Runtime, RuntimeSession, RuntimeTensor } from "./runtime.js";

export interface SessionOptions {
  readonly provider: Provider;
  readonly threads: number | undefined;
  /** Whether the runtime may rewrite the graph. It costs seconds for a training step, which is lowered as it shall run. */
  readonly optimize: boolean;
}

function sessionOptions({ provider, threads, optimize }: SessionOptions): object {
  return {
    executionProviders: [provider],
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    graphOptimizationLevel: optimize ? "all" : "disabled",
    // Planned memory patterns touch fresh pages with each run: 5 % slower and a third more memory.
    enableMemPattern: false,
    logSeverityLevel: 3,
    // Threads that wait by spinning slow every other live session down two to four times.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  };
}

/** A session whose errors say where in the model they come from. */
export class Session {
  readonly #session: RuntimeSession;

  private constructor(session: RuntimeSession) {
    this.#session = session;
  }

  /** @throws DeviceError when the runtime refuses the model */
  static async create(runtime: Runtime, model: Uint8Array, options: SessionOptions): Promise<Session> {
    try {
      return new Session(await runtime.InferenceSession.create(model, sessionOptions(options)));
    } catch (error) {
      throw wrapped("onnx: the runtime refuses the program", error);
    }
  }

  async run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: Readonly<Record<string, RuntimeTensor | null>>,
  ): Promise<Readonly<Record<string, RuntimeTensor>>> {
    try {
      return await this.#session.run(feeds, fetches);
    } catch (error) {
      throw wrapped("onnx: a run failed", error);
    }
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

/** The runtime names a failing node, and nodes are named `module/op:number`. */
export function wrapped(what: string, error: unknown): DeviceError {
  const message = error instanceof Error ? error.message : String(error);
  const found = /(?:Name:\s*'|Node \(|node[: ]+)(?:([^\s'()/]+)\/)?(\w+):\d+/.exec(message);
  if (found === null) return new DeviceError(`${what}: ${message}`, { cause: error });
  const [, scope = "", op] = found;
  const place = scope === "" ? `  in ${op}` : `  at ${scope}  ${op}`;
  return new DeviceError(`${what}: ${message}\n${place}`, { cause: error, op, scope });
}
