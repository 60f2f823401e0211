import { Pause, Play, Square, StepForward } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../../../ui/index.js";
import { pauseRun, type RunOutline, resumeRun, stepRun, stopRun } from "../session/run.js";

/** Pause and go on, one step, stop. */
export const Controls: FunctionComponent<{ readonly run: RunOutline }> = ({ run: { state } }) => {
  const [busy, setBusy] = useState(false);
  const act = async (what: () => Promise<boolean>): Promise<void> => {
    setBusy(true);
    await what();
    setBusy(false);
  };
  if (!["preparing", "running", "pausing", "paused"].includes(state)) return null;
  const paused = state === "paused";
  return (
    <div class="row train-controls">
      {paused ? (
        <Button kind="primary" disabled={busy} onClick={() => void act(resumeRun)}>
          <Play size={18} aria-hidden="true" />
          Go on
        </Button>
      ) : (
        <Button disabled={busy || state !== "running"} onClick={() => void act(pauseRun)}>
          <Pause size={18} aria-hidden="true" />
          Pause
        </Button>
      )}
      <Button
        disabled={busy || !paused}
        title="One batch, while the training is paused"
        onClick={() => void act(stepRun)}
      >
        <StepForward size={18} aria-hidden="true" />
        Step
      </Button>
      <Button disabled={busy} onClick={() => void act(stopRun)}>
        <Square size={16} aria-hidden="true" />
        Stop
      </Button>
    </div>
  );
};
