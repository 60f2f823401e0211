import { basename, relative } from "node:path";
import { report } from "./errors.js";
import type { Io } from "./io.js";
import { main } from "./main.js";

/** The words that start this program again, for the commands that messages suggest. */
function commandName(): string {
  if (process.env.npm_execpath !== undefined) return "npx ocelli";
  const script = process.argv[1] ?? "ocelli";
  return basename(script) === "ocelli.js" ? `node ${relative(process.cwd(), script)}` : "ocelli";
}

/** What Ctrl-C does now. */
let stopWork: (() => void) | undefined;
let closed = false;

const io: Io = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  command: commandName(),
  self: process.argv[1] === undefined ? undefined : [process.execPath, process.argv[1]],
  onInterrupt: (handler) => {
    stopWork = handler;
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, handler);
    return () => {
      stopWork = undefined;
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, handler);
    };
  },
  exit: (code) => {
    // A progress bar may have hidden the cursor, which stands in its line.
    if (process.stdout.isTTY) process.stdout.write("\u001b[?25h\n");
    process.exit(code);
  },
};

// A reader that has seen enough (`ocelli list | head -1`) closes the pipe: that is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // Nothing can be printed there any more; the other stream may still tell why.
    if (error.code !== "EPIPE") process.exit(report(error, io));
    // A training saves first, as on Ctrl-C. What it still writes goes nowhere.
    if (!closed && stopWork !== undefined) stopWork();
    else if (!closed) process.exit(0);
    closed = true;
  });
}

process.exitCode = await main(process.argv.slice(2), io);
