import "./model-picker.css";
import type { FunctionComponent } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type FamilyField, type FamilyValue, familyOf } from "../model/families.js";
import type { FamilySpec, ModelSpec } from "../model/spec.js";
import { Checkbox, Notice, NumberField, Select } from "../ui/index.js";
import type { Verdict } from "../workers/analysis/api.js";
import { checkLane } from "../workers/analysis/client.js";
import { Superseded } from "../workers/analysis/lane.js";
import { ChainEditor } from "./chain-editor.js";
import { ModelCombobox } from "./combobox.js";
import { entryIdOf, pickerEntries } from "./entries.js";
import { imageOf, withImage } from "./image.js";

interface ModelPickerProps {
  readonly label: string;
  readonly value: ModelSpec;
  readonly onChange: (spec: ModelSpec) => void;
}

type Refusal = Extract<Verdict, { readonly ok: false }>;

/**
 * Any network: one of the zoo, one of a family, a chain of one's own; for images of any size. What is typed is handed on once the network
 * can be made; until then the error stands beside it, and the last good one stays.
 */
export const ModelPicker: FunctionComponent<ModelPickerProps> = ({ label, value, onChange }) => {
  const { draft, refusal, propose } = useDraft(value, onChange);
  const chosen = entryIdOf(draft);
  const entry = pickerEntries.find(({ id }) => id === chosen);
  const wrong = refusal === undefined || saidElsewhere(draft, refusal) ? undefined : refusal.message;
  return (
    <div class="model-picker">
      <ModelCombobox
        label={label}
        shown={draft.kind === "layers" ? draft.name : (entry?.title ?? "Choose a network")}
        chosen={chosen}
        hint={entry?.about}
        onChoose={({ spec }) => propose(spec)}
      />
      {draft.kind === "layers" ? <ChainEditor value={draft} onChange={propose} /> : null}
      {entry === undefined ? null : (
        <div class="model-picker-fields">
          {draft.kind === "family" ? <FamilyFields spec={draft} onChange={propose} /> : null}
          <ImageFields
            spec={draft}
            error={refusal?.field === "inputSize" ? refusal.message : undefined}
            {...{ propose }}
          />
        </div>
      )}
      {wrong === undefined ? null : (
        <Notice kind="error" title="This network cannot be made">
          {wrong.replace(/\.$/, "")}. The last one that worked stays.
        </Notice>
      )}
    </div>
  );
};

/** The field or the layer at fault says it. */
const saidElsewhere = (draft: ModelSpec, { field, message }: Refusal): boolean =>
  field !== undefined || (draft.kind === "layers" && /^layer \d/.test(message));

/** What is being put together, and what is wrong with it. */
function useDraft(value: ModelSpec, onChange: (spec: ModelSpec) => void) {
  const [draft, setDraft] = useState(value);
  const [refusal, setRefusal] = useState<Refusal>();
  const newest = useRef(draft);
  const told = useRef(onChange);
  told.current = onChange;
  // Another part of the page, or a link, chose a network. At once: later, it would undo what was typed since.
  useLayoutEffect(() => {
    newest.current = value;
    setDraft(value);
    setRefusal(undefined);
  }, [value]);
  const propose = (spec: ModelSpec): void => {
    newest.current = spec;
    setDraft(spec);
    checkLane
      .ask(async (api): Promise<Verdict> => api.check(spec))
      .then(
        (verdict) => {
          if (newest.current !== spec) return;
          setRefusal(verdict.ok ? undefined : verdict);
          if (verdict.ok) told.current(spec);
        },
        (error: Error) => {
          if (!(error instanceof Superseded)) setRefusal({ ok: false, message: error.message });
        },
      );
  };
  return { draft, refusal, propose };
}

interface FamilyFieldsProps {
  readonly spec: FamilySpec;
  readonly onChange: (spec: ModelSpec) => void;
}

const FamilyFields: FunctionComponent<FamilyFieldsProps> = ({ spec, onChange }) => (
  <>
    {familyOf(spec.family).fields.map((field) => (
      <FamilyInput
        key={field.name}
        field={field}
        value={spec.values[field.name] ?? field.default}
        onChange={(value) => onChange({ ...spec, values: { ...spec.values, [field.name]: value } })}
      />
    ))}
  </>
);

interface FamilyInputProps {
  readonly field: FamilyField;
  readonly value: FamilyValue;
  readonly onChange: (value: FamilyValue) => void;
}

const FamilyInput: FunctionComponent<FamilyInputProps> = ({ field, value, onChange }) => {
  const { label, hint, kind, allowed, choices, min, max, step } = field;
  if (kind === "switch") return <Checkbox label={label} checked={value === true} onChange={onChange} />;
  if (kind === "choice")
    return <Select {...{ label, hint }} value={`${value}`} choices={choices ?? []} onChange={onChange} />;
  if (allowed !== undefined)
    return (
      <Select
        {...{ label, hint }}
        value={`${value}`}
        choices={allowed.map((one) => ({ value: `${one}`, label: `${one}` }))}
        onChange={(text) => onChange(Number(text))}
      />
    );
  return <NumberField {...{ label, hint, min, max, step }} value={Number(value)} onChange={onChange} />;
};

interface ImageFieldsProps {
  readonly spec: ModelSpec;
  readonly error: string | undefined;
  readonly propose: (spec: ModelSpec) => void;
}

/** What every network can be made for: images of another size, other channels, other classes. */
const ImageFields: FunctionComponent<ImageFieldsProps> = ({ spec, error, propose }) => {
  const image = imageOf(spec);
  const { inputSize, inChannels, numClasses } = image;
  return (
    <>
      <NumberField
        label="Input size"
        hint="Pixels a side"
        error={error}
        value={inputSize}
        min={1}
        max={1024}
        onChange={(size) => propose(withImage(spec, { ...image, inputSize: size }))}
      />
      <NumberField
        label="Input channels"
        hint="1 grey, 3 colours"
        value={inChannels}
        min={1}
        max={64}
        onChange={(channels) => propose(withImage(spec, { ...image, inChannels: channels }))}
      />
      <NumberField
        label="Classes"
        value={numClasses}
        min={1}
        max={30000}
        onChange={(classes) => propose(withImage(spec, { ...image, numClasses: classes }))}
      />
    </>
  );
};
