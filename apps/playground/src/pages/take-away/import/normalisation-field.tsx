import type { Named } from "@ocelli/training";
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Field, Select } from "../../../ui/index.js";
import type { Fitted } from "../../../workers/export/api.js";
import { normalisations, ownNormalisation } from "./normalisations.js";

/** Undefined as long as it is none. */
export interface TypedTransform {
  readonly transform: Named | undefined;
}

interface NormalisationFieldProps {
  readonly fitted: Fitted;
  readonly onChange: (typed: TypedTransform) => void;
}

/** What pixels go through before the first layer: a network trained on other numbers answers wrongly. */
export const NormalisationField: FunctionComponent<NormalisationFieldProps> = ({ fitted, onChange }) => {
  const known = normalisations(fitted);
  const [name, setName] = useState(known[0]?.name ?? "own");
  const [mean, setMean] = useState("0.5");
  const [std, setStd] = useState("0.25");
  const { transform, problem } = name === "own" ? typed(fitted, mean, std) : chosen(known, name);
  useEffect(() => onChange({ transform }), [JSON.stringify(transform)]);
  return (
    <>
      <Select
        label="Normalisation"
        hint="What was done to pixels in its training. With another one it answers wrongly."
        value={name}
        choices={[
          ...known.map((one) => ({ value: one.name, label: one.label })),
          { value: "own", label: "Other numbers" },
        ]}
        onChange={setName}
      />
      {name === "own" ? (
        <>
          <Field
            label="Mean"
            hint="Of pixels from 0 to 1: one number for all channels, or one for each"
            error={problem}
          >
            {(ids) => <input {...ids} value={mean} onInput={({ currentTarget }) => setMean(currentTarget.value)} />}
          </Field>
          <Field label="Deviation">
            {(ids) => <input {...ids} value={std} onInput={({ currentTarget }) => setStd(currentTarget.value)} />}
          </Field>
        </>
      ) : null}
    </>
  );
};

interface Outcome extends TypedTransform {
  readonly problem?: string | undefined;
}

function typed(fitted: Fitted, mean: string, std: string): Outcome {
  try {
    return { transform: ownNormalisation(fitted, mean, std) };
  } catch (error) {
    return { transform: undefined, problem: (error as Error).message };
  }
}

const chosen = (known: ReturnType<typeof normalisations>, name: string): Outcome => ({
  transform: known.find((one) => one.name === name)?.transform,
});
