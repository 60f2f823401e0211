import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatNumber } from "../../../format.js";
import { Notice, Pixels, Select } from "../../../ui/index.js";
import type { FilterSheet } from "../../../workers/train/api.js";
import { trainer } from "../../../workers/train/client.js";
import { layerLabel, useLayers } from "./layers.js";
import { useLook } from "./look.js";
import { Looked } from "./looked.js";

const most = 64;
/** Filters that may be drawn large. */
const few = 16;

/** What the first convolution, or any, has learnt to look for. */
export const Filters: FunctionComponent = () => {
  const layers = useLayers();
  const [chosen, setChosen] = useState<string>();
  const convolutions = layers.filter(({ filters }) => filters);
  const layer = convolutions.find(({ path }) => path === chosen)?.path;
  const look = useLook(() => trainer().filters(layer, most), layer ?? "", "steps");
  if (layers.length > 0 && convolutions.length === 0)
    return <Notice kind="info">This network has no convolution, and so no filters to look at.</Notice>;
  return (
    <div class="stack">
      {convolutions.length < 2 ? null : (
        <Select
          label="Convolution"
          value={layer ?? convolutions[0]?.path ?? ""}
          choices={convolutions.map((info) => ({ value: info.path, label: layerLabel(info) }))}
          onChange={setChosen}
        />
      )}
      <Looked look={look}>{(sheet) => <Sheet {...sheet} />}</Looked>
    </div>
  );
};

const Sheet: FunctionComponent<FilterSheet> = ({ layer, at, shape, pictures, scale }) => {
  const [outputs = 0, inputs = 0, height = 0, width = 0] = shape;
  const colours = inputs === 3 ? "seen in colour" : inputs === 1 ? "" : "the first input of each";
  const about = [
    `${pictures.length === outputs ? "" : `${pictures.length} of `}${outputs} filters of ${height} × ${width}`,
    colours,
    `white is ${scale.toPrecision(2)}, middle grey 0, black ${(-scale).toPrecision(2)}`,
    `after step ${formatNumber(at)}`,
  ];
  return (
    <>
      <div class={`train-sheet ${pictures.length <= few ? "few" : ""}`} role="img" aria-label={`Filters of ${layer}`}>
        {pictures.map((picture, i) => (
          <Pixels key={i} label="" {...picture} />
        ))}
      </div>
      <p class="small quiet figures">{about.filter((part) => part !== "").join("; ")}.</p>
    </>
  );
};
