import { batch } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { formatTime } from "../../../format.js";
import { currentModel } from "../../../state.js";
import { isHeld, networks } from "../../../store/listing.js";
import { Checkbox, Select } from "../../../ui/index.js";
import { originText } from "../describe.js";
import { beginning, plan } from "../session/draft.js";

const fresh = "";

/** What the training begins from: chance, or what a network that is kept here has learnt already. */
export const BeginningFields: FunctionComponent = () => {
  const kept = networks.value ?? [];
  const { network = fresh, headOnly = false } = beginning.value ?? {};
  if (kept.length === 0 && network === fresh) return null;
  const choose = (id: string): void => {
    const chosen = kept.find((one) => one.id === id);
    batch(() => {
      beginning.value = chosen && { network: chosen.id, headOnly };
      if (chosen !== undefined) currentModel.value = chosen.spec;
    });
  };
  const gone =
    network === fresh || kept.some(({ id }) => id === network) ? [] : [{ value: network, label: "(deleted)" }];
  return (
    <>
      <Select
        label="Begin from"
        hint={network === fresh ? "values by chance, or what a network here has learnt" : undefined}
        value={network}
        choices={[
          { value: fresh, label: "Fresh values" },
          ...kept.map(({ id, title, created }) => ({
            value: id,
            label: `${title} (${isHeld(id) ? "in memory" : formatTime(created)})`,
          })),
          ...gone,
        ]}
        onChange={choose}
      />
      {network === fresh ? null : (
        <>
          <Taken />
          <Checkbox
            label="Train the head alone: the last layer, which makes the answer of what the others see"
            checked={headOnly}
            onChange={(only) => {
              beginning.value = { network, headOnly: only };
            }}
          />
        </>
      )}
    </>
  );
};

const Taken: FunctionComponent = () => {
  const origin = plan.value?.origin;
  if (origin === undefined) return null;
  return (
    <p class="small" role="status">
      Begins with {originText(origin)}
      {origin.headOnly ? "" : " What is taken needs small steps: try a tenth of the learning rate."}
    </p>
  );
};
