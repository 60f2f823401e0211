import type { Named } from "@ocelli/training";
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { TrainingSpec } from "../../../model/training.js";
import { Field, NumberField, Select } from "../../../ui/index.js";
import { change } from "../session/draft.js";
import { joinedSchedule, milestonesOf, scheduleKind, scheduleKinds, scheduleParts } from "./schedules.js";

/** How the learning rate changes over the run. */
export const ScheduleFields: FunctionComponent<{ readonly training: TrainingSpec }> = ({ training }) => {
  const { schedule, epochs } = training;
  const { warmup, plain } = scheduleParts(schedule);
  const kind = scheduleKind(plain.name);
  const set = (next: Named): void => change({ schedule: joinedSchedule({ warmup, plain: next }, schedule) });
  const own = kind === undefined ? [{ value: plain.name, label: "As the recipe has it" }] : [];
  return (
    <div class="train-fields">
      <Select
        label="Schedule"
        hint={kind?.about ?? "Composed of several, which this form does not take apart."}
        value={plain.name}
        choices={[...scheduleKinds.map(({ name, title }) => ({ value: name, label: title })), ...own]}
        onChange={(name) => set(scheduleKind(name)?.fresh(epochs) ?? plain)}
      />
      {plain.name === "multiStep" ? <Milestones schedule={plain} onChange={set} /> : null}
      {kind?.numbers.map((field) => (
        <NumberField
          key={`${plain.name}.${field.name}`}
          label={field.label}
          value={Number(plain.options[field.name] ?? field.default)}
          min={field.min}
          max={field.max}
          step={field.step}
          onChange={(value) => set({ name: plain.name, options: { ...plain.options, [field.name]: value } })}
        />
      ))}
    </div>
  );
};

interface PartProps {
  readonly schedule: Named;
  readonly onChange: (schedule: Named) => void;
}

const Milestones: FunctionComponent<PartProps> = ({ schedule, onChange }) => {
  const given = (schedule.options.milestones as readonly number[]).join(", ");
  const [text, setText] = useState(given);
  useEffect(() => setText(given), [given]);
  const wrong = milestonesOf(text) === undefined ? "needs numbers above 0, like 3, 4" : undefined;
  const type = (typed: string): void => {
    setText(typed);
    const milestones = milestonesOf(typed);
    if (milestones !== undefined) onChange({ name: schedule.name, options: { ...schedule.options, milestones } });
  };
  return (
    <Field label="At epochs" error={wrong}>
      {(ids) => <input {...ids} type="text" value={text} onInput={({ currentTarget }) => type(currentTarget.value)} />}
    </Field>
  );
};
