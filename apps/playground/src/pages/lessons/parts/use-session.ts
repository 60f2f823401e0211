import { useEffect, useState } from "preact/hooks";
import type { ExperimentName, OptionsOf } from "../../../workers/lesson/worker.js";
import { Session } from "./session.js";

interface SessionSettings {
  /** Runs by itself: for what takes no time. */
  readonly auto?: boolean;
  /** Least milliseconds from one frame to the next. */
  readonly pace?: number;
}

/** Milliseconds. */
const calm = 400;

/** An experiment for as long as the lesson is open; other options begin it anew. */
export function useSession<Name extends ExperimentName>(
  name: Name,
  options: OptionsOf<Name>,
  { auto = false, pace = 0 }: SessionSettings = {},
): Session<Name> {
  const [session] = useState(() => new Session(name, options, pace));
  const key = JSON.stringify(options);
  useEffect(() => {
    session.change(options);
    if (auto) session.play();
    // When the page stands still, and the slider does.
    const timer = setTimeout(() => session.prepare(), calm);
    return () => clearTimeout(timer);
  }, [session, key, auto]);
  useEffect(() => () => session.close(), [session]);
  return session;
}
