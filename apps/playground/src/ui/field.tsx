import "./field.css";
import type { ComponentChildren, FunctionComponent } from "preact";
import { useId, useLayoutEffect, useState } from "preact/hooks";

interface Labelled {
  readonly label: string;
  /** A line of explanation below. */
  readonly hint?: ComponentChildren | undefined;
  /** What is wrong with the value, and what to do. */
  readonly error?: string | undefined;
}

interface FrameProps extends Labelled {
  readonly children: (ids: {
    readonly id: string;
    readonly "aria-describedby": string | undefined;
    readonly "aria-invalid": boolean;
  }) => ComponentChildren;
}

/** Label, control, hint and error, tied together for those who listen. */
export const Field: FunctionComponent<FrameProps> = ({ label, hint, error, children }) => {
  const id = useId();
  const about = hint === undefined && error === undefined ? undefined : `${id}-about`;
  return (
    <div class={`field ${error === undefined ? "" : "wrong"}`}>
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": about, "aria-invalid": error !== undefined })}
      {/* Always there: what comes into it later is read out. */}
      <div id={`${id}-about`} class="about" aria-live="polite">
        {error ?? hint}
      </div>
    </div>
  );
};

export interface Choice<Value extends string = string> {
  readonly value: Value;
  readonly label: string;
  /** Choices of one group stand together. */
  readonly group?: string | undefined;
}

interface SelectProps<Value extends string> extends Labelled {
  readonly value: Value;
  readonly choices: readonly Choice<Value>[];
  readonly onChange: (value: Value) => void;
  readonly disabled?: boolean | undefined;
}

export function Select<Value extends string>({ value, choices, onChange, disabled, ...labelled }: SelectProps<Value>) {
  const groups = [...new Set(choices.map(({ group }) => group))];
  const options = (group: string | undefined) =>
    choices
      .filter((choice) => choice.group === group)
      .map((choice) => (
        <option key={choice.value} value={choice.value}>
          {choice.label}
        </option>
      ));
  return (
    <Field {...labelled}>
      {(ids) => (
        <select
          {...ids}
          value={value}
          disabled={disabled}
          onChange={({ currentTarget }) => onChange(currentTarget.value as Value)}
        >
          {groups.map((group) =>
            group === undefined ? (
              options(group)
            ) : (
              <optgroup key={group} label={group}>
                {options(group)}
              </optgroup>
            ),
          )}
        </select>
      )}
    </Field>
  );
}

interface NumberProps extends Labelled {
  readonly value: number;
  readonly onChange: (value: number) => void;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly step?: number | "any" | undefined;
  readonly disabled?: boolean | undefined;
}

/** A number; what is typed counts once it is one within the bounds, and what is wrong is said below. */
export const NumberField: FunctionComponent<NumberProps> = ({
  value,
  onChange,
  min,
  max,
  step = 1,
  disabled,
  ...labelled
}) => {
  const [text, setText] = useState(`${value}`);
  // "0.10" stays as it was typed. At once: later, it would undo what was typed since.
  useLayoutEffect(
    () => setText((typed) => (typed.trim() !== "" && Number(typed) === value ? typed : `${value}`)),
    [value],
  );
  const wrong = problem(text, { min, max, step });
  const type = (typed: string): void => {
    setText(typed);
    if (problem(typed, { min, max, step }) === undefined) onChange(Number(typed));
  };
  return (
    <Field {...labelled} error={labelled.error ?? wrong}>
      {(ids) => (
        <input
          {...ids}
          type="number"
          inputMode={step === 1 ? "numeric" : "decimal"}
          value={text}
          min={min}
          max={max}
          step={step}
          disabled={disabled}
          onInput={({ currentTarget }) => type(currentTarget.value)}
        />
      )}
    </Field>
  );
};

function problem(text: string, { min, max, step }: Pick<NumberProps, "min" | "max" | "step">): string | undefined {
  const value = Number(text);
  const whole = step === 1;
  const range = [min === undefined ? "" : ` from ${min}`, max === undefined ? "" : ` to ${max}`].join("");
  const what = `needs a ${whole ? "whole " : ""}number${range}`;
  if (text.trim() === "" || !Number.isFinite(value) || (whole && !Number.isInteger(value))) return what;
  return value < (min ?? -Infinity) || value > (max ?? Infinity) ? what : undefined;
}

interface SliderProps extends Labelled {
  readonly value: number;
  readonly onChange: (value: number) => void;
  readonly min: number;
  readonly max: number;
  readonly step?: number | undefined;
  /** The value in words, beside the slider. */
  readonly shown?: string | undefined;
  readonly disabled?: boolean | undefined;
}

export const Slider: FunctionComponent<SliderProps> = ({
  value,
  onChange,
  min,
  max,
  step = 1,
  shown = `${value}`,
  disabled,
  ...labelled
}) => (
  <Field {...labelled}>
    {(ids) => (
      <div class="slider">
        <input
          {...ids}
          type="range"
          {...{ value, min, max, step, disabled }}
          aria-valuetext={shown}
          onInput={({ currentTarget }) => onChange(Number(currentTarget.value))}
        />
        {/* The slider itself says it. */}
        <span class="slider-value" aria-hidden="true">
          {shown}
        </span>
      </div>
    )}
  </Field>
);

interface CheckboxProps {
  readonly label: ComponentChildren;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean | undefined;
}

export const Checkbox: FunctionComponent<CheckboxProps> = ({ label, checked, onChange, disabled }) => (
  <label class="checkbox">
    <input
      type="checkbox"
      checked={checked}
      disabled={disabled}
      onChange={({ currentTarget }) => onChange(currentTarget.checked)}
    />
    <span>{label}</span>
  </label>
);
