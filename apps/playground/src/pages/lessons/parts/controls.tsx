import "./controls.css";
import { Pause, Play, RotateCcw, StepForward } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { Button, Notice } from "../../../ui/index.js";
import type { ExperimentName } from "../../../workers/lesson/worker.js";
import type { Phase, Session } from "./session.js";

interface ControlsProps {
  readonly session: Pick<
    Session<ExperimentName>,
    "phase" | "problem" | "device" | "waiting" | "play" | "pause" | "step" | "reset"
  >;
  /** How far it is: "Step 40 of 160". */
  readonly progress: string;
}

const words: Readonly<Record<Phase, string>> = {
  ready: "Ready",
  running: "Running",
  paused: "Paused",
  finished: "Finished",
  failed: "Stopped by an error",
};

/** Start, pause, step and reset of an experiment, how far it is, what computes, and what went wrong. */
export const Controls: FunctionComponent<ControlsProps> = ({ session, progress }) => {
  const phase = session.phase.value;
  const running = phase === "running";
  const device = session.device.value;
  const preparing = session.waiting.value && progress === "";
  return (
    <div class="lesson-controls">
      <div class="row">
        {running ? (
          <Button kind="primary" onClick={() => session.pause()}>
            <Pause size={16} aria-hidden="true" /> Pause
          </Button>
        ) : (
          <Button kind="primary" onClick={() => session.play()}>
            <Play size={16} aria-hidden="true" />{" "}
            {phase === "paused" ? "Go on" : phase === "finished" ? "Start again" : "Start"}
          </Button>
        )}
        <Button disabled={phase !== "ready" && phase !== "paused"} onClick={() => session.step()}>
          <StepForward size={16} aria-hidden="true" /> Step
        </Button>
        <Button disabled={phase === "ready"} onClick={() => session.reset()}>
          <RotateCcw size={16} aria-hidden="true" /> Reset
        </Button>
        <span class="quiet figures" role="status">
          {preparing ? "Preparing the networks ..." : words[phase]}
        </span>
        <span class="quiet figures">{progress}</span>
      </div>
      {phase === "failed" ? (
        <Notice kind="error" title="The experiment stopped">
          {session.problem.value}. Start it again, or reload the page.
        </Notice>
      ) : null}
      {device === undefined ? null : (
        <p class="quiet small">
          Computed on {device.adapter}
          {device.why === undefined ? "" : `: ${device.why}`}
        </p>
      )}
    </div>
  );
};
