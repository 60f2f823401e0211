import { modelNames } from "@ocelli/zoo";
import type { FunctionComponent } from "preact";
import type { ModelSpec } from "../model/spec.js";
import { Select } from "../ui/index.js";

interface ModelPickerProps {
  readonly label: string;
  readonly value: ModelSpec;
  readonly onChange: (spec: ModelSpec) => void;
}

/** Any network: one of the zoo, one of a family, a chain of one's own. */
export const ModelPicker: FunctionComponent<ModelPickerProps> = ({ label, value, onChange }) => (
  <Select
    label={label}
    value={value.kind === "zoo" ? value.name : ""}
    choices={modelNames.map((name) => ({ value: name, label: name }))}
    onChange={(name) => onChange({ kind: "zoo", name })}
  />
);
