import type { LayerOutput } from "@ocelli/inspect/explain";
import type { FunctionComponent } from "preact";
import { Select } from "../../../ui/index.js";
import type { LoadedNetwork } from "../../../workers/try/api.js";
import { explained } from "./state.js";

const predicted = "predicted";

/** Which class is explained. */
export const ClassChooser: FunctionComponent<{ readonly network: LoadedNetwork }> = ({ network }) => (
  <Select
    label="Explain the class"
    value={explained.value === undefined ? predicted : `${explained.value}`}
    choices={[
      { value: predicted, label: "that the network names" },
      ...network.classes.map((name, i) => ({ value: `${i}`, label: name })),
    ]}
    onChange={(value) => {
      explained.value = value === predicted ? undefined : Number(value);
    }}
  />
);

interface LayerProps {
  readonly layers: readonly LayerOutput[];
  readonly value: string | undefined;
  readonly onChange: (path: string) => void;
}

export const LayerChooser: FunctionComponent<LayerProps> = ({ layers, value, onChange }) => (
  <Select
    label="Layer"
    value={value ?? ""}
    choices={layers.map(({ path, type, shape }) => ({
      value: path,
      label: `${path} · ${type} · ${shape.join(" × ")}`,
    }))}
    onChange={onChange}
  />
);
