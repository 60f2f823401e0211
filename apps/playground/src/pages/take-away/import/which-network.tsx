import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ModelSpec } from "../../../model/spec.js";
import { ModelPicker } from "../../../model-picker/model-picker.js";
import { currentModel } from "../../../state.js";
import { Select } from "../../../ui/index.js";
import type { OpenedFile } from "../../../workers/export/api.js";

interface WhichNetworkProps {
  readonly fitting: OpenedFile["fitting"];
  /** Undefined as long as nobody has chosen. */
  readonly onChange: (spec: ModelSpec | undefined) => void;
}

/** Which network the values of a file are of: the only one they fit is proposed; among several, somebody has to choose. */
export const WhichNetwork: FunctionComponent<WhichNetworkProps> = ({ fitting, onChange }) => {
  const [choice, setChoice] = useState(fitting.length === 0 ? "other" : fitting.length === 1 ? "0" : "");
  const [other, setOther] = useState<ModelSpec>(currentModel.peek());
  useEffect(() => onChange(choice === "other" ? other : fitting[Number.parseInt(choice, 10)]?.spec), [choice, other]);
  return (
    <>
      {fitting.length === 0 ? null : (
        <Select
          label="Which network it is"
          value={choice}
          choices={[
            ...(choice === "" ? [{ value: "", label: "Choose ..." }] : []),
            ...fitting.map(({ title }, i) => ({ value: `${i}`, label: title })),
            { value: "other", label: "Another one" },
          ]}
          onChange={setChoice}
        />
      )}
      {choice === "other" ? <ModelPicker label="Network" value={other} onChange={setOther} /> : null}
    </>
  );
};
