import { type Remote, wrap } from "comlink";
import { useEffect, useRef, useState } from "preact/hooks";
import { breakdownOf } from "../breakdown.js";
import type { AnalysisApi } from "./api.js";
import { Lane, Superseded } from "./lane.js";

export type AnalysisLane = Lane<Remote<AnalysisApi>>;

/** A worker of its own, opened by the first question. */
export const openLane = (): AnalysisLane =>
  new Lane(() => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "analysis" });
    return { api: wrap<AnalysisApi>(worker), broken: breakdownOf(worker), close: () => worker.terminate() };
  });

/** What pages ask about the network that is shown. */
export const analysisLane = openLane();

/** What takes longer: memory. */
export const memoryLane = openLane();

/** Networks that are about to be chosen. */
export const checkLane = openLane();

/** A chain while it is put together, which may be broken. */
export const chainLane = openLane();

export interface Answer<Value> {
  /** The last one that came; it stays while the next is under way, and when that fails. */
  readonly value: Value | undefined;
  readonly error: string | undefined;
  readonly pending: boolean;
}

/** Asks again whenever `key` changes; an undefined question waits. */
export function useAnswer<Value>(
  lane: AnalysisLane,
  key: string,
  question: ((api: Remote<AnalysisApi>) => Promise<Value>) | undefined,
): Answer<Value> {
  const [answer, setAnswer] = useState<Answer<Value>>({ value: undefined, error: undefined, pending: true });
  const newest = useRef("");
  useEffect(() => {
    if (question === undefined) return;
    newest.current = key;
    setAnswer(({ value }) => ({ value, error: undefined, pending: true }));
    lane.ask(question).then(
      (value) => setAnswer({ value, error: undefined, pending: false }),
      (error: Error) => {
        if (error instanceof Superseded || newest.current !== key) return;
        setAnswer(({ value }) => ({ value, error: error.message, pending: false }));
      },
    );
  }, [lane, key, question === undefined]);
  return answer;
}
