import { signal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { Panel, Tabs } from "../../../ui/index.js";
import { DrawPad } from "./draw-pad.js";
import { Examples } from "./examples.js";
import { PictureInput } from "./picture-input.js";

type Way = "draw" | "picture" | "examples";

const way = signal<Way>("draw");

/** How the reader shows the network something. */
export const InputPanel: FunctionComponent = () => (
  <Panel title="Show it something" class="try-input">
    <Tabs
      label="Ways to show it something"
      tabs={[
        { name: "draw", title: "Draw" },
        { name: "picture", title: "Picture" },
        { name: "examples", title: "Examples" },
      ]}
      chosen={way.value}
      onChoose={(name) => {
        way.value = name;
      }}
    >
      {way.value === "draw" ? <DrawPad /> : way.value === "picture" ? <PictureInput /> : <Examples />}
    </Tabs>
  </Panel>
);
