import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { ArgumentError, OcelliError } from "@ocelli/core";
import type { Job, Reply } from "./protocol.js";

/** A job without its number. */
export type Task = Job extends infer Each ? (Each extends Job ? Omit<Each, "id"> : never) : never;

export interface Running {
  readonly reply: Promise<Reply>;
  /** Drops what has not begun; the reply then fails with the reason. */
  cancel(reason: unknown): void;
}

/** Threads that decode pictures. They start when they are first needed, and do not keep the process alive. */
export interface Decoders {
  readonly count: number;
  /** `report` is told when a thread had to be replaced. */
  run(task: Task, report: (line: string) => void): Running;
}

interface Waiting {
  readonly report: (line: string) => void;
  readonly job: Job;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
  /** Threads that ended while they had it. */
  deaths: number;
}

/** A picture file larger than this is taken for a mistake. */
const maxBytes = 2 ** 28;

const pools = new Map<number, Decoders>();

/** The process's decoders, one pool for each count of threads (default: the processor's). @throws ArgumentError when `sharp` is not installed */
export function decodersOf(count: number = availableParallelism()): Decoders {
  if (!Number.isSafeInteger(count) || count < 1 || count > 256)
    throw new ArgumentError(`pictures: workers is ${count}; it needs an integer from 1 to 256`, { workers: count });
  needSharp();
  const pool = pools.get(count) ?? startDecoders(count);
  pools.set(count, pool);
  return pool;
}

function needSharp(): void {
  try {
    createRequire(import.meta.url).resolve("sharp");
  } catch (cause) {
    throw new ArgumentError("pictures: reading picture files needs the package sharp: npm install sharp", { cause });
  }
}

/** `start`: another thread, for tests. */
export function startDecoders(count: number, start: () => Worker = startThread): Decoders {
  const threads = Array.from({ length: count }, () => decodingThread(start));
  let id = 0;
  return {
    count,
    run(task, report) {
      const job = { ...task, id: id++ } as Job;
      const thread = threads.reduce((best, other) => (other.load() < best.load() ? other : best));
      return thread.run(job, report);
    },
  };
}

const startThread = (): Worker =>
  new Worker(new URL("./decode.worker.js", import.meta.url), { workerData: { maxBytes }, stdin: false });

interface DecodingThread {
  /** Pictures that are asked of it. */
  load(): number;
  run(job: Job, report: (line: string) => void): Running;
}

function decodingThread(start: () => Worker): DecodingThread {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let load = 0;

  const settle = (entry: Waiting): void => {
    waiting.delete(entry.job.id);
    load -= entry.job.files.length;
    if (waiting.size === 0) worker?.unref();
  };
  const begin = (): Worker => {
    const begun = start();
    let reason: unknown;
    begun.on("message", (reply: Reply) => {
      const entry = waiting.get(reply.id);
      if (entry === undefined) return;
      settle(entry);
      entry.resolve(reply);
    });
    begun.on("error", (error) => (reason = error));
    begun.on("exit", (code) => {
      if (worker === begun) worker = undefined;
      replace(reason ?? `exit code ${code}`);
    });
    return begun;
  };
  /** What a thread had when it ended goes to a new one; what ended two fails. */
  const replace = (reason: unknown): void => {
    for (const entry of [...waiting.values()]) {
      entry.deaths++;
      if (entry.deaths < 2) continue;
      settle(entry);
      entry.reject(threadError(entry.job, reason));
    }
    const left = [...waiting.values()];
    left[0]?.report(`a thread that decodes pictures ended (${reasonText(reason)}); another one goes on`);
    for (const { job } of left) post(job);
  };
  const post = (message: Job | { readonly cancel: number }): void => {
    worker ??= begin();
    worker.ref();
    worker.postMessage(message);
  };
  return {
    load: () => load,
    run(job, report) {
      let cancel: Running["cancel"] = () => {};
      const reply = new Promise<Reply>((resolve, reject) => {
        const entry: Waiting = { report, job, resolve, reject, deaths: 0 };
        waiting.set(job.id, entry);
        load += job.files.length;
        cancel = (reason) => {
          if (!waiting.has(job.id)) return;
          worker?.postMessage({ cancel: job.id });
          settle(entry);
          reject(reason);
        };
        post(job);
      });
      return { reply, cancel };
    },
  };
}

function threadError({ files }: Job, reason: unknown): OcelliError {
  const others = files.length === 1 ? "" : ` and ${files.length - 1} more`;
  return new OcelliError(
    `pictures: the thread that decodes pictures ended twice (${reasonText(reason)}) at ${files[0]}${others}`,
    { files, cause: reason },
  );
}

const reasonText = (reason: unknown): string =>
  String(reason instanceof Error ? reason.message : reason).split("\n")[0] as string;
