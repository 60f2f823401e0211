import type { FunctionComponent } from "preact";
import { Link } from "wouter-preact";
import { ModelPicker } from "../../../model-picker/model-picker.js";
import { currentModel } from "../../../state.js";
import { Panel } from "../../../ui/index.js";
import { plan } from "../session/draft.js";
import { BeginningFields } from "./beginning.js";

/** Which network is trained, and what had to be changed of it for the data. */
export const NetworkPanel: FunctionComponent = () => (
  <Panel title="Network">
    <ModelPicker
      label="Model"
      value={currentModel.value}
      onChange={(spec) => {
        currentModel.value = spec;
      }}
    />
    {plan.value === undefined || plan.value.adaptations.length === 0 ? null : (
      <p class="small quiet">Made to fit the data: {plan.value.adaptations.join(", ")}.</p>
    )}
    <BeginningFields />
    <p class="small">
      <Link href="/architectures">See its layers, or change them</Link>
    </p>
  </Panel>
);
