import { ChevronLeft, ChevronRight } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatPercent } from "../../../format.js";
import { IconButton, NumberField, Pixels, Select } from "../../../ui/index.js";
import type { ActivationMaps, LayerInfo } from "../../../workers/train/api.js";
import { trainer } from "../../../workers/train/client.js";
import { outline } from "../session/run.js";
import { layerLabel, useLayers } from "./layers.js";
import { useLook } from "./look.js";
import { Looked } from "./looked.js";

/** Maps of a layer, and layers at once: what fits on a screen. */
const mostMaps = 24;
const mostLayers = 5;

/** What a picture becomes on its way through the network. */
export const Activations: FunctionComponent = () => {
  const layers = useLayers();
  const [image, setImage] = useState(0);
  const [only, setOnly] = useState("");
  const paths = only === "" ? spread(layers) : [only];
  const look = useLook(
    () => trainer().activations({ layers: paths, image, atMost: only === "" ? mostMaps : 64 }),
    layers.length === 0 ? undefined : `${image} ${paths.join(" ")}`,
    "steps",
  );
  const data = outline.value?.data;
  const last = (data?.[data.judged] ?? 1) - 1;
  return (
    <div class="stack">
      <div class="train-look-at">
        <Select
          label="Layers"
          value={only}
          choices={[
            { value: "", label: "Some, from first to last" },
            ...layers.map((info) => ({ value: info.path, label: layerLabel(info) })),
          ]}
          onChange={setOnly}
        />
        <div class="row train-image-number">
          <NumberField
            label="Picture"
            value={image + 1}
            min={1}
            max={last + 1}
            onChange={(place) => setImage(place - 1)}
          />
          <IconButton label="Picture before" disabled={image === 0} onClick={() => setImage(image - 1)}>
            <ChevronLeft size={20} aria-hidden="true" />
          </IconButton>
          <IconButton label="Next picture" disabled={image >= last} onClick={() => setImage(image + 1)}>
            <ChevronRight size={20} aria-hidden="true" />
          </IconButton>
        </div>
      </div>
      <Looked look={look}>{(maps) => <Maps {...maps} classes={data?.classes ?? []} />}</Looked>
    </div>
  );
};

/** A few of the layers that have maps, evenly over the network's depth. */
export function spread(layers: readonly LayerInfo[]): string[] {
  const maps = layers.filter(({ shape }) => shape.length === 3);
  const count = Math.min(mostLayers, maps.length);
  const at = (i: number): number => Math.round((i * (maps.length - 1)) / Math.max(1, count - 1));
  return [...new Set(Array.from({ length: count }, (_, i) => (maps[at(i)] as LayerInfo).path))];
}

interface MapsProps extends ActivationMaps {
  readonly classes: readonly string[];
}

const Maps: FunctionComponent<MapsProps> = ({ picture, label, probabilities, layers, classes }) => (
  <div class="train-maps">
    <figure class="train-given">
      <Pixels label={`The picture: ${classes[label] ?? label}`} {...picture} />
      <figcaption class="small">
        <Answers {...{ probabilities, classes, label }} />
      </figcaption>
    </figure>
    <dl class="grow">
      {layers.map(({ path, shape, pictures, range: [least, largest] }) => (
        <div key={path}>
          <dt class="small">
            <span class="mono">{path}</span>{" "}
            <span class="quiet figures">
              {shape.join(" × ")}, black {least.toPrecision(2)}, white {largest.toPrecision(2)}
              {pictures.length > 1 && pictures.length < (shape[0] ?? 0) ? `; the first ${pictures.length}` : ""}
            </span>
          </dt>
          <dd class={pictures.length === 1 ? "train-vector" : "train-sheet"}>
            {pictures.map((map, i) => (
              <Pixels key={i} label="" {...map} />
            ))}
          </dd>
        </div>
      ))}
    </dl>
  </div>
);

interface AnswersProps {
  readonly probabilities: readonly number[];
  readonly classes: readonly string[];
  readonly label: number;
}

/** What the network takes it for, the likeliest first. */
const Answers: FunctionComponent<AnswersProps> = ({ probabilities, classes, label }) => (
  <ol class="train-answers">
    {probabilities
      .map((probability, i) => ({ probability, i }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, 3)
      .map(({ probability, i }) => (
        <li key={i} class={i === label ? "right" : undefined}>
          <span>
            {classes[i] ?? i}
            {i === label ? " (right)" : ""}
          </span>
          <span class="figures">{formatPercent(probability)}</span>
        </li>
      ))}
  </ol>
);
