import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatDuration, formatNumber } from "../../../format.js";
import type { RunState, StorageState } from "../../../workers/train/api.js";

interface SavedProps {
  readonly storage: StorageState;
  readonly state: RunState;
}

/** What a reload would find. */
export const Saved: FunctionComponent<SavedProps> = ({ storage: { kept, saved }, state }) => {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (state !== "running") return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [state]);
  if (!kept) return <span>Not kept in this browser</span>;
  const often = state === "running" ? ", again every 20 s" : "";
  if (saved === null) return <span>Kept in this browser from the first save on{often}</span>;
  const ago = state === "running" ? ` ${formatDuration((Math.max(now, saved.time) - saved.time) / 1000)} ago` : "";
  return (
    <span class="figures">
      Kept in this browser{ago}, at step {formatNumber(saved.step)}
      {often}
    </span>
  );
};
