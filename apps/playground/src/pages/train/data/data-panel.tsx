import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { Notice, Panel, Tabs } from "../../../ui/index.js";
import { dataProblem } from "../session/draft.js";
import { DataList } from "./data-list.js";
import { ExampleSheet } from "./example-sheet.js";
import { OwnPictures } from "./own-pictures.js";
import { StandardFiles } from "./standard-files.js";

const tabs = [
  { name: "own", title: "Your own pictures" },
  { name: "standard", title: "A standard set" },
] as const;

/** What is learnt from: a set that is there, or one that the reader brings. */
export const DataPanel: FunctionComponent = () => {
  const [tab, setTab] = useState<(typeof tabs)[number]["name"]>("own");
  return (
    <Panel title="Data">
      <DataList />
      {dataProblem.value === undefined ? null : (
        <Notice kind="warning" title="Nothing can be kept in this browser">
          {dataProblem.value}
        </Notice>
      )}
      <ExampleSheet />
      <details class="train-add">
        <summary>Add other data</summary>
        <Tabs label="Kind of data" tabs={tabs} chosen={tab} onChoose={setTab}>
          {tab === "own" ? <OwnPictures /> : <StandardFiles />}
        </Tabs>
      </details>
    </Panel>
  );
};
