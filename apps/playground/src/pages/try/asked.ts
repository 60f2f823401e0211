import type * as Comlink from "comlink";
import { useEffect } from "preact/hooks";
import { type Asked, useNewest } from "../../newest.js";
import type { Seen, TryApi } from "../../workers/try/api.js";
import { seen, worker } from "./session.js";

/** An answer and the image that it is about. */
export interface About<T> {
  readonly seen: Seen;
  readonly answer: T;
}

type Question<T> = (api: Comlink.Remote<TryApi>, seen: Seen) => Promise<T>;

/**
 * The answer to a question about what the network sees now: asked again when that changes, or one of `inputs`. Beside an error there is
 * no answer: the last one is about something else.
 * @param question undefined: nothing to ask
 */
export function useAsked<T>(question: Question<T> | undefined, inputs: readonly unknown[]): Asked<About<T>> {
  const newest = useNewest<About<T>>();
  const now = seen();
  useEffect(() => {
    if (now === undefined || question === undefined) newest.clear();
    else newest.ask(async () => ({ seen: now, answer: await question(worker(), now) }));
  }, [now, question === undefined, ...inputs]);
  const { value: asked } = newest.state;
  return asked.error === undefined ? asked : { ...asked, value: undefined };
}
