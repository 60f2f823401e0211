import type { FunctionComponent } from "preact";
import { DataPanel } from "../data/data-panel.js";
import { AugmentPanel } from "../recipe/augment-panel.js";
import { RecipePanel } from "../recipe/recipe-panel.js";
import { DoNotFit } from "./do-not-fit.js";
import { NetworkPanel } from "./network.js";
import { SavedRuns } from "./saved-runs.js";
import { StartBar } from "./start-bar.js";

/** Network, data and recipe, side by side where there is room. */
export const SetUp: FunctionComponent = () => (
  <div class="stack">
    <DoNotFit />
    <div class="train-set-up">
      <div class="stack">
        <NetworkPanel />
        <DataPanel />
      </div>
      <div class="stack">
        <RecipePanel />
        <AugmentPanel />
      </div>
    </div>
    <StartBar />
    <SavedRuns />
  </div>
);
