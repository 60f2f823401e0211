import type { FunctionComponent } from "preact";
import type { TrainingSpec } from "../../../model/training.js";
import { Checkbox, NumberField } from "../../../ui/index.js";
import { change, plan, unchange } from "../session/draft.js";
import { numberOf, optimizerKind, withNumber } from "./optimizers.js";
import { averageOver, clipOf, clipTo, decayOf } from "./parts.js";
import { joinedSchedule, scheduleParts } from "./schedules.js";

/** What papers differ in and beginners may leave alone. */
export const FinerSettings: FunctionComponent<{ readonly training: TrainingSpec }> = ({ training }) => (
  <details class="train-finer">
    <summary>Finer settings</summary>
    <div class="stack">
      <div class="train-fields">
        <OptimizerNumbers training={training} />
        <LossAndLength training={training} />
        <StepAndJudgement training={training} />
      </div>
      <Checkbox
        label="Biases and normalisation do not decay"
        checked={training.noDecay === true}
        onChange={(noDecay) => change({ noDecay })}
      />
    </div>
  </details>
);

const OptimizerNumbers: FunctionComponent<{ readonly training: TrainingSpec }> = ({ training: { optimizer } }) => (
  <>
    {optimizerKind(optimizer.name).numbers.map(({ name, label, hint, max }) => (
      <NumberField
        key={`${optimizer.name}.${name}`}
        {...{ label, hint, max }}
        value={numberOf(optimizer, name)}
        min={0}
        step="any"
        onChange={(value) => change({ optimizer: withNumber(optimizer, name, value) })}
      />
    ))}
    <NumberField
      label="Weight decay"
      hint="pulls weights towards 0"
      value={numberOf(optimizer, "weightDecay")}
      min={0}
      max={1}
      step="any"
      onChange={(value) => change({ optimizer: withNumber(optimizer, "weightDecay", value) })}
    />
  </>
);

const LossAndLength: FunctionComponent<{ readonly training: TrainingSpec }> = ({ training }) => {
  const { loss, schedule, epochs, seed } = training;
  const { warmup, plain } = scheduleParts(schedule);
  return (
    <>
      <NumberField
        label="Label smoothing"
        hint="share of a label spread over all classes"
        value={Number(loss?.options.labelSmoothing ?? 0)}
        min={0}
        max={0.9}
        step="any"
        onChange={smooth}
      />
      <NumberField
        label="Warm-up"
        hint="epochs in which the rate rises from 0"
        value={warmup}
        min={0}
        max={Math.max(0, epochs - 0.1)}
        step="any"
        onChange={(length) => change({ schedule: joinedSchedule({ warmup: length, plain }, schedule) })}
      />
      <NumberField
        label="Seed"
        hint="the same one gives the same run"
        value={seed}
        min={0}
        max={2 ** 31 - 1}
        onChange={(value) => change({ seed: value })}
      />
    </>
  );
};

const StepAndJudgement: FunctionComponent<{ readonly training: TrainingSpec }> = ({ training }) => (
  <>
    <NumberField
      label="Gradient clipping"
      hint="longest that a step's gradient may be; 0: no limit"
      value={clipOf(training)}
      min={0}
      max={1e6}
      step="any"
      onChange={(max) => change({ clip: clipTo(max) })}
    />
    <NumberField
      label="Averaged weights"
      hint="what their average keeps each step, as 0.99; 0: none"
      value={decayOf(training)}
      min={0}
      max={0.99999}
      step="any"
      onChange={(decay) => change({ average: averageOver(decay) })}
    />
    <NumberField
      label="Kept for validation"
      hint={`share of images that only judge; 0: ${plan.value?.data.test === 0 ? "a fifth" : "the test images do"}`}
      value={training.validation ?? 0}
      min={0}
      max={0.9}
      step="any"
      onChange={(validation) => change({ validation })}
    />
  </>
);

/** Without any, the loss is the model's own again, unless the recipe smooths. */
function smooth(labelSmoothing: number): void {
  if (labelSmoothing === 0 && plan.value?.proposal.loss === undefined) unchange("loss");
  else change({ loss: { name: "crossEntropy", options: labelSmoothing === 0 ? {} : { labelSmoothing } } });
}
