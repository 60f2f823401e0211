import type * as Comlink from "comlink";
import { useEffect, useMemo } from "preact/hooks";
import type { Seen, TryApi } from "../../workers/try/api.js";
import { type Asked, Latest } from "./latest.js";
import { seen, worker } from "./session.js";

/** An answer and the image that it is about. */
export interface About<T> {
  readonly seen: Seen;
  readonly answer: T;
}

type Question<T> = (api: Comlink.Remote<TryApi>, seen: Seen) => Promise<T>;

/**
 * The answer to a question about what the network sees now: asked again when that changes, or one of `inputs`.
 * @param question undefined: nothing to ask
 */
export function useAsked<T>(question: Question<T> | undefined, inputs: readonly unknown[]): Asked<About<T>> {
  const latest = useMemo(() => new Latest<About<T>>(), []);
  const now = seen();
  useEffect(() => {
    if (now === undefined || question === undefined) latest.clear();
    else latest.ask(async () => ({ seen: now, answer: await question(worker(), now) }));
  }, [now, question === undefined, ...inputs]);
  useEffect(() => () => latest.clear(), []);
  return latest.state.value;
}
