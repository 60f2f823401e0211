import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, expect } from "vitest";
import type { Io, Output } from "../src/io.js";
import { main } from "../src/main.js";

/** The command as it is installed. */
export const bin: string = fileURLToPath(new URL("../bin/ocelli.js", import.meta.url));

export interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** Presses Ctrl-C this many milliseconds after the first output. */
  readonly interruptAfter?: number;
  /** Pretends that stdout is a terminal of this width. */
  readonly columns?: number;
  readonly env?: Io["env"];
}

/** Runs the command inside this process. */
export async function ocelli(
  args: readonly string[],
  { interruptAfter, columns, env = {} }: RunOptions = {},
): Promise<Result> {
  const handlers = new Set<() => void>();
  const out = collector(columns);
  const err = collector();
  const press = (): void => {
    for (const handler of handlers) handler();
  };
  out.onText = () => {
    if (interruptAfter !== undefined) setTimeout(press, interruptAfter);
    out.onText = () => undefined;
  };
  const io: Io = {
    stdout: out.stream,
    stderr: err.stream,
    env,
    command: "ocelli",
    // Graphics drivers print what they like, and may crash: a process of their own, where one can be started.
    self: existsSync(new URL("../dist/main.js", import.meta.url)) ? [process.execPath, bin] : undefined,
    onInterrupt: (handler) => {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    exit: (code) => {
      throw new Error(`exit ${code}`);
    },
  };
  const code = await main(args, io);
  return { code, out: out.text, err: err.text };
}

interface Collector {
  readonly stream: Output;
  text: string;
  onText: () => void;
}

function collector(columns?: number): Collector {
  const stream = new Writable({
    write(chunk, _, done) {
      result.text += String(chunk);
      result.onText();
      done();
    },
  });
  if (columns !== undefined) Object.assign(stream, { isTTY: true, columns });
  const result: Collector = { stream: stream as unknown as Output, text: "", onText: () => undefined };
  return result;
}

/** Runs the command and expects it to succeed. */
export async function succeed(args: readonly string[], options?: RunOptions): Promise<string> {
  const { code, out, err } = await ocelli(args, options);
  expect({ code, err: code === 0 ? "" : err }).toEqual({ code: 0, err: "" });
  return out;
}

/** Runs the command and expects one clear message and this exit code. */
export async function fails(code: number, args: readonly string[]): Promise<string> {
  const result = await ocelli(args);
  expect(result.err).toMatch(/^((note: |downloading ).*\n)*error: /);
  expect(result.err).not.toMatch(/\n\s+at .*\.(ts|js):\d/);
  expect(result.code).toBe(code);
  return result.err;
}

/** The objects of `--json` output. */
export function lines(out: string): Record<string, unknown>[] {
  return out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The object of `--json` output that is one. */
export function single<T = Record<string, unknown>>(out: string): T {
  const all = lines(out);
  expect(all).toHaveLength(1);
  return all[0] as T;
}

/** A folder that is removed after the file's tests. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ocelli-cli-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** A small training on the processor; one thread, so that tests beside it matter little. */
export const small = [
  "lenet5_modern",
  "--data",
  "digits",
  "--limit",
  "320",
  "--batch-size",
  "32",
  "--device",
  "onnx-cpu",
  "--threads",
  "1",
];
