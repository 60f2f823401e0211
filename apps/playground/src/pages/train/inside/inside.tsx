import type { ComponentType, FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { Panel, Spinner, Tabs } from "../../../ui/index.js";
import { outline } from "../session/run.js";
import { Activations } from "./activations.js";
import { ByLayer } from "./by-layer.js";
import { ConfusionTab } from "./confusion.js";
import { Filters } from "./filters.js";
import { MistakesTab } from "./mistakes.js";

const tabs = [
  { name: "filters", title: "Filters" },
  { name: "activations", title: "Activations" },
  { name: "layers", title: "Layer by layer" },
  { name: "confusion", title: "Confusion" },
  { name: "mistakes", title: "Mistakes" },
] as const;

type Name = (typeof tabs)[number]["name"];

const contents: Readonly<Record<Name, ComponentType>> = {
  filters: Filters,
  activations: Activations,
  layers: ByLayer,
  confusion: ConfusionTab,
  mistakes: MistakesTab,
};

/** The network while it learns. Looks are taken between two steps and change nothing. */
export const Inside: FunctionComponent = () => {
  const [tab, setTab] = useState<Name>("filters");
  const Content = contents[tab];
  return (
    <Panel title="Inside">
      <Tabs label="What to look at" tabs={tabs} chosen={tab} onChoose={setTab}>
        {outline.value?.state === "preparing" ? <Spinner label="Waiting for the first step" /> : <Content />}
      </Tabs>
    </Panel>
  );
};
