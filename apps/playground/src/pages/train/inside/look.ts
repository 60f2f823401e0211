import { useEffect, useState } from "preact/hooks";
import { epochs, live, outline } from "../session/run.js";

/** What a look into the network found. While another one is under way, what was found before. */
export interface Look<Found> {
  readonly found: Found | undefined;
  readonly wrong: string | undefined;
}

/** When to look again: after any step, or only at the end of an epoch and of the training. */
export type Rhythm = "steps" | "epochs";

/** Milliseconds between two looks, at least; and no more of the time than a fifth, since the training waits meanwhile. */
const pause = 1500;
const share = 5;

const isRunning = (): boolean => outline.peek()?.state === "running";

const standing = (rhythm: Rhythm): string => {
  const at = rhythm === "steps" ? live.peek()?.step : epochs.peek().length;
  return `${at} ${isRunning() ? "" : outline.peek()?.state}`;
};

/**
 * Looks into the run's network and again whenever it has changed, as long as the part of the page is shown.
 * @param key what is looked at: another one begins anew; undefined: nothing yet
 */
export function useLook<Found>(look: () => Promise<Found>, key: string | undefined, rhythm: Rhythm): Look<Found> {
  const [state, setState] = useState<Look<Found>>({ found: undefined, wrong: undefined });
  const run = outline.value?.id;
  useEffect(() => {
    let gone = false;
    const rounds = async (): Promise<void> => {
      for (let [last, due] = ["", 0]; !gone; ) {
        const now = standing(rhythm);
        // A training that has come to rest is not kept waiting.
        if (now !== last && !document.hidden && (!isRunning() || performance.now() >= due)) {
          last = now;
          due = performance.now() + (await timed(look, setIfHere));
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    };
    const setIfHere = (next: Look<Found>): void => {
      if (!gone) setState((before) => ({ ...next, found: next.found ?? before.found }));
    };
    setState({ found: undefined, wrong: undefined });
    if (key !== undefined) void rounds();
    return () => {
      gone = true;
    };
  }, [key, run, rhythm]);
  return state;
}

/** @returns milliseconds to wait before the next one */
async function timed<Found>(look: () => Promise<Found>, tell: (found: Look<Found>) => void): Promise<number> {
  const start = performance.now();
  try {
    tell({ found: await look(), wrong: undefined });
  } catch (error) {
    tell({ found: undefined, wrong: (error as Error).message });
  }
  return Math.max(pause, share * (performance.now() - start));
}
