import type { FunctionComponent } from "preact";
import { formatPercent } from "../../../format.js";
import { Button, Notice } from "../../../ui/index.js";
import { Inside } from "../inside/inside.js";
import { epochs, isActive, outline, points, problem, showing } from "../session/run.js";
import { Curves } from "./curves.js";
import { Failure } from "./failure.js";
import { Finished } from "./finished.js";
import { judgedAccuracy } from "./judged.js";
import { RunPanel } from "./run-panel.js";

/** A training as it goes: how far it is, its curves, and what the network is like inside. */
export const RunView: FunctionComponent = () => {
  const run = outline.value;
  if (run === null) return null;
  return (
    <div class="stack">
      {problem.value === undefined ? null : (
        <Notice kind="error" title="That did not work">
          {problem.value}
        </Notice>
      )}
      {run.failure === undefined ? null : <Failure run={run} failure={run.failure} />}
      {run.state === "done" || run.state === "stopped" ? <Finished run={run} /> : null}
      <RunPanel run={run} />
      <Curves points={points.value} epochs={epochs.value} judged={run.data.judged} length={run.training.epochs} />
      {run.state === "stopped" || run.state === "failed" ? null : <Inside />}
      <div class="row">
        <Button
          onClick={() => {
            showing.value = "set-up";
          }}
        >
          {isActive.value ? "Look at the set-up" : "Set up another training"}
        </Button>
      </div>
      <EpochNews />
    </div>
  );
};

/** Tells those who listen how each epoch ended. */
const EpochNews: FunctionComponent = () => {
  const last = epochs.value.at(-1);
  const accuracy = last === undefined ? null : judgedAccuracy(last);
  return (
    <p class="visually-hidden" role="status">
      {last === undefined
        ? ""
        : `Epoch ${last.epoch} is over${accuracy === null ? "" : `: accuracy ${formatPercent(accuracy)}`}`}
    </p>
  );
};
