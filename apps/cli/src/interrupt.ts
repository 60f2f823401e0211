import { Interrupted } from "./errors.js";
import { type Io, note } from "./io.js";

/**
 * Runs what Ctrl-C may stop: the first one aborts the signal, the second one ends the process at once.
 * @param onFirst what to tell the user after the first
 */
export async function interruptible<T>(io: Io, onFirst: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stopListening = io.onInterrupt(() => {
    if (controller.signal.aborted) return io.exit(130);
    // First, so that a progress bar is gone before the line is written.
    controller.abort(new Interrupted("stopped"));
    // On a terminal the cursor stands behind "^C".
    note(io, `${io.stderr.isTTY ? "\r" : ""}${onFirst} (Ctrl-C again: stop at once)`);
  });
  try {
    return await run(controller.signal);
  } catch (error) {
    // What was aborted may throw an error of its own.
    if (controller.signal.aborted && (error as Error | undefined)?.name === "AbortError")
      throw controller.signal.reason;
    throw error;
  } finally {
    stopListening();
  }
}
