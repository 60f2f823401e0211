import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { Panel, Tabs } from "../../../ui/index.js";
import type { LoadedNetwork } from "../../../workers/try/api.js";
import { network, seen } from "../session.js";
import { Deconvolution } from "./deconvolution.js";
import { FeatureMaps } from "./feature-maps.js";
import { methods } from "./methods.js";
import { Occlusion } from "./occlusion.js";
import { GradCam, Guided, Saliency } from "./on-pixels.js";
import { forget, type Method, method } from "./state.js";

type View = FunctionComponent<{ readonly network: LoadedNetwork }>;

const views: Readonly<Record<Method, View>> = {
  maps: FeatureMaps,
  saliency: Saliency,
  guided: Guided,
  "grad-cam": GradCam,
  occlusion: Occlusion,
  deconvolution: Deconvolution,
};

/** What the network makes of what it sees. */
export const Inside: FunctionComponent = () => {
  const now = network();
  useEffect(forget, [now?.key]);
  const chosen = methods.find(({ name }) => name === method.value) as (typeof methods)[number];
  const View = views[chosen.name];
  return (
    <Panel title="Look inside" class="try-inside">
      <Tabs
        label="Ways to look inside"
        tabs={methods}
        chosen={chosen.name}
        onChoose={(name) => {
          method.value = name;
        }}
      >
        <div class="stack">
          <p>
            {chosen.shows} <cite class="quiet small">{chosen.paper}.</cite>
          </p>
          {now === undefined || seen() === undefined ? (
            <p class="quiet">There is nothing to look at yet: draw something, or choose a picture.</p>
          ) : (
            <View key={`${chosen.name} ${now.key}`} network={now} />
          )}
        </div>
      </Tabs>
    </Panel>
  );
};
