import type { FunctionComponent } from "preact";
import type { TrainingSpec } from "../../../model/training.js";
import { Checkbox, NumberField } from "../../../ui/index.js";
import { change, plan, unchange } from "../session/draft.js";
import { numberOf, optimizerKind, withNumber } from "./optimizers.js";
import { joinedSchedule, scheduleParts } from "./schedules.js";

/** What papers differ in and beginners may leave alone. */
export const FinerSettings: FunctionComponent<{ readonly training: TrainingSpec }> = ({ training }) => (
  <details class="train-finer">
    <summary>Finer settings</summary>
    <div class="stack">
      <div class="train-fields">
        <OptimizerNumbers training={training} />
        <LossAndLength training={training} />
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

/** Without any, the loss is the model's own again, unless the recipe smooths. */
function smooth(labelSmoothing: number): void {
  if (labelSmoothing === 0 && plan.value?.proposal.loss === undefined) unchange("loss");
  else change({ loss: { name: "crossEntropy", options: labelSmoothing === 0 ? {} : { labelSmoothing } } });
}
