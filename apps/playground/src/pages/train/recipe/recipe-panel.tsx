import type { FunctionComponent } from "preact";
import { changedTraining, type TrainingSpec } from "../../../model/training.js";
import { Button, NumberField, Panel, Select, Spinner } from "../../../ui/index.js";
import { change, changes, isChanged, plan, planProblem, unchangeAll } from "../session/draft.js";
import { FinerSettings } from "./finer-settings.js";
import { freshOptimizer, numberOf, optimizerKind, optimizerKinds, withNumber } from "./optimizers.js";
import { ScheduleCurve } from "./schedule-curve.js";
import { ScheduleFields } from "./schedule-fields.js";

/** How it is trained: as the paper did, or as the reader wants it. */
export const RecipePanel: FunctionComponent = () => {
  const made = plan.value;
  if (made === undefined)
    return <Panel title="Recipe">{planProblem.value === undefined ? <Spinner label="Looking it up" /> : null}</Panel>;
  // What is typed counts at once; the plan follows.
  const training = changedTraining(made.training, changes.value);
  return (
    <Panel
      title="Recipe"
      aside={
        isChanged.value ? (
          <Button kind="quiet" onClick={unchangeAll}>
            Back to the proposal
          </Button>
        ) : undefined
      }
    >
      <p class="small quiet">Where it comes from: {made.source}</p>
      <MainFields training={training} />
      <ScheduleFields training={training} />
      <ScheduleCurve rates={made.rates} epochs={training.epochs} />
      <FinerSettings training={training} />
    </Panel>
  );
};

const MainFields: FunctionComponent<{ readonly training: TrainingSpec }> = ({ training }) => {
  const { optimizer } = training;
  return (
    <div class="train-fields">
      <Select
        label="Optimizer"
        hint={optimizerKind(optimizer.name).about}
        value={optimizer.name}
        choices={optimizerKinds.map(({ name, title }) => ({ value: name, label: title }))}
        onChange={(name) => change({ optimizer: freshOptimizer(name) })}
      />
      <NumberField
        label="Learning rate"
        hint="how far a step goes"
        value={numberOf(optimizer, "lr")}
        min={1e-7}
        max={1e6}
        step="any"
        onChange={(lr) => change({ optimizer: withNumber(optimizer, "lr", lr) })}
      />
      <NumberField
        label="Epochs"
        hint="times through all images"
        value={training.epochs}
        min={1}
        max={2000}
        onChange={(epochs) => change({ epochs })}
      />
      <NumberField
        label="Batch"
        hint="images a step"
        value={training.batchSize}
        min={1}
        max={4096}
        onChange={(batchSize) => change({ batchSize })}
      />
    </div>
  );
};
