import { formatBytes } from "@ocelli/inspect";
import { Play } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatNumber } from "../../../format.js";
import { Button, Figure, Figures, Notice, Spinner } from "../../../ui/index.js";
import { Adapter } from "../run/adapter.js";
import { givenBeginning, plan, planning, planProblem } from "../session/draft.js";
import { deviceProblem, isActive, preparing, startRun } from "../session/run.js";

/** What it costs, what computes, and the one button that matters. */
export const StartBar: FunctionComponent = () => {
  const [starting, setStarting] = useState(false);
  const made = plan.value;
  const ready = made !== undefined && planProblem.value === undefined && deviceProblem.value === undefined;
  const start = async (): Promise<void> => {
    if (made === undefined) return;
    setStarting(true);
    await startRun({ spec: made.spec, training: made.training, from: givenBeginning.value });
    setStarting(false);
  };
  return (
    <section class="train-start" aria-label="Start">
      {deviceProblem.value === undefined ? null : (
        <Notice kind="error" title="Nothing here can compute">
          {deviceProblem.value}
        </Notice>
      )}
      <div class="row spread">
        {made === undefined ? (
          <span class="quiet">Looking at network and data ...</span>
        ) : (
          <Figures>
            <Figure label="Parameters" value={formatNumber(made.parameters)} hint="Numbers that are learnt" />
            <Figure
              label="Memory"
              value={formatBytes(made.memory)}
              hint="Of a training step at its fullest moment, estimated from the shapes"
            />
            <Figure label="Images" value={formatNumber(made.data.train)} hint="That it learns from" />
            <Figure label="Steps" value={formatNumber(made.steps)} hint="Batches of the whole training" />
          </Figures>
        )}
        <Button kind="primary" disabled={!ready || starting || planning.value} onClick={() => void start()}>
          <Play size={18} aria-hidden="true" />
          {isActive.value ? "Start this instead" : "Start training"}
        </Button>
      </div>
      {preparing.value === undefined ? <Adapter /> : <Spinner label={preparing.value} />}
    </section>
  );
};
