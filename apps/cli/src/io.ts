/** A stream that the command prints to. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** All that the command has of the world around it besides files: the process, or a test's stand-in. */
export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the user types to run it: goes into the commands that messages suggest. */
  readonly command: string;
  /** The program and first arguments that start it once more. Undefined where that cannot be. */
  readonly self?: readonly [program: string, ...args: string[]] | undefined;
  /** Calls `handler` at each Ctrl-C until the returned function is called. */
  onInterrupt(handler: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

export function print(io: Io, text = ""): void {
  io.stdout.write(`${text}\n`);
}

/** One JSON object on a line of its own. */
export function printJson(io: Io, value: object): void {
  io.stdout.write(`${JSON.stringify(value)}\n`);
}

/** For what is no result: it goes to stderr, so that output can be piped on. */
export function note(io: Io, text: string): void {
  io.stderr.write(`${text}\n`);
}
