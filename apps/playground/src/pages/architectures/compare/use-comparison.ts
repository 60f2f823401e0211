import type { Compared } from "@ocelli/inspect";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { titleOf } from "../../../model/display-name.js";
import type { ModelSpec } from "../../../model/spec.js";
import { openLane } from "../../../workers/analysis/client.js";
import { Superseded } from "../../../workers/analysis/lane.js";

/** A network of the comparison, once its numbers are there. */
export interface ComparedSpec {
  readonly spec: ModelSpec;
  readonly compared: Compared;
}

export interface ComparisonState {
  readonly models: readonly ComparedSpec[];
  /** 0 to 1. */
  readonly share: number;
  readonly problems: readonly string[];
}

/** Of networks and data sets that were compared before: numbers do not change. */
const known = new Map<string, ComparedSpec>();

/** One network after the other, in a worker; those that are done are shown meanwhile. */
export function useComparison(specs: readonly ModelSpec[], dataset: string): ComparisonState {
  const lane = useRef(openLane());
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [done, setDone] = useState(0);
  const keyOf = (spec: ModelSpec): string => JSON.stringify([spec, dataset]);
  const wanted = specs.map(keyOf).join("\n");
  useEffect(() => {
    const run = { stopped: false };
    const compareAll = async (): Promise<void> => {
      setProblems([]);
      for (const [i, spec] of specs.entries()) {
        if (known.has(keyOf(spec))) continue;
        try {
          const compared = await lane.current.ask((api) => api.compared(spec, dataset));
          known.set(keyOf(spec), { spec, compared });
        } catch (error) {
          if (error instanceof Superseded) return;
          setProblems((before) => [...before, `${titleOf(spec)}: ${(error as Error).message}`]);
        }
        if (run.stopped) return;
        // A chart is drawn anew now and then, not for every network.
        if (i % 16 === 15 || i === specs.length - 1) setDone((times) => times + 1);
      }
      setDone((times) => times + 1);
    };
    compareAll().catch((error: Error) => setProblems([error.message]));
    return () => {
      run.stopped = true;
    };
  }, [wanted]);
  useEffect(() => () => lane.current.close(), []);
  const models = useMemo(() => specs.flatMap((spec) => known.get(keyOf(spec)) ?? []), [wanted, done]);
  return { models, share: specs.length === 0 ? 1 : (models.length + problems.length) / specs.length, problems };
}
