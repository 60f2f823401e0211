import type { ComponentChildren, FunctionComponent } from "preact";
import { useMemo } from "preact/hooks";
import { gradientPicture, imagePicture } from "../../../model/pictures.js";
import type { ImageShape } from "../../../model/spec.js";
import type { Asked } from "../../../newest.js";
import { Notice, Pixels, Spinner } from "../../../ui/index.js";
import type { LoadedNetwork, OnPixels, PixelMethod, Seen } from "../../../workers/try/api.js";
import { Failure } from "../answer.js";
import { type About, useAsked } from "../asked.js";
import { ClassChooser, LayerChooser } from "./choosers.js";
import { Overlay, SeenPicture } from "./overlay.js";
import { explained, gradCamLayer, mapLayers } from "./state.js";

interface Props {
  readonly network: LoadedNetwork;
}

function useExplained(method: PixelMethod, layer?: string): Asked<About<OnPixels>> {
  const classIndex = explained.value;
  return useAsked(
    (api, { key, pixels }) => api.pixels(key, pixels, { method, classIndex, layer }),
    [method, classIndex, layer],
  );
}

export const Saliency: FunctionComponent<Props> = ({ network }) => {
  const asked = useExplained("saliency");
  return (
    <Parts network={network} asked={asked}>
      {asked.value === undefined ? null : (
        <Overlay
          label={`Saliency of ${nameOf(network, asked.value)}`}
          seen={asked.value.seen}
          heat={asked.value.answer.values}
        />
      )}
    </Parts>
  );
};

export const Guided: FunctionComponent<Props> = ({ network }) => {
  const asked = useExplained("guided");
  return (
    <Parts network={network} asked={asked}>
      {asked.value === undefined ? null : (
        <SideBySide
          label={`Guided backpropagation of ${nameOf(network, asked.value)}`}
          seen={asked.value.seen}
          {...asked.value.answer}
        />
      )}
    </Parts>
  );
};

export const GradCam: FunctionComponent<Props> = ({ network }) => {
  const layers = useMemo(() => mapLayers(network), [network]);
  const layer = gradCamLayer.value ?? network.gradCamLayer;
  const asked = useExplained("grad-cam", layer);
  if (layer === undefined)
    return <Notice kind="info">No layer of this network gives a map. Saliency and occlusion need none.</Notice>;
  return (
    <Parts
      network={network}
      asked={asked}
      layer={
        <LayerChooser
          layers={layers}
          value={layer}
          onChange={(path) => {
            gradCamLayer.value = path;
          }}
        />
      }
    >
      {asked.value === undefined ? null : (
        <>
          <Overlay
            label={`Grad-CAM of ${nameOf(network, asked.value)}`}
            seen={asked.value.seen}
            heat={asked.value.answer.values}
          />
          {asked.value.answer.values.some((value) => value > 0) ? null : (
            <p class="small quiet">Nothing in this layer speaks for the class: the map is 0 everywhere.</p>
          )}
        </>
      )}
    </Parts>
  );
};

const nameOf = (network: LoadedNetwork, { answer }: About<OnPixels>): string =>
  network.classes[answer.classIndex] ?? "";

interface PartsProps extends Props {
  readonly asked: Asked<About<OnPixels>>;
  readonly layer?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Choices on one side, the picture on the other. */
const Parts: FunctionComponent<PartsProps> = ({ network, asked, layer, children }) => {
  const { value, busy, error } = asked;
  return (
    <div class="try-parts">
      <div class="stack">
        <ClassChooser network={network} />
        {layer}
        {value === undefined ? null : (
          <p class="small quiet figures" role="status">
            Class <strong>{nameOf(network, value)}</strong>, score {value.answer.score.toFixed(2)} (the logit, before
            softmax makes it a probability).
          </p>
        )}
        <Failure error={error} />
        {busy && value === undefined ? <Spinner label="Computing" /> : null}
      </div>
      <div class="try-picture">{children}</div>
    </div>
  );
};

interface SideProps {
  readonly label: string;
  readonly seen: Seen;
  /** `[C, H, W]` */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** The image, and changes of its pixels in their own colours around grey. */
export const SideBySide: FunctionComponent<SideProps> = ({ label, seen, shape, values }) => {
  const image = useMemo(() => imagePicture(seen.pixels, seen.shape), [seen]);
  const picture = useMemo(() => gradientPicture(values, shape as ImageShape), [values, shape]);
  return (
    <div class="try-pair">
      <SeenPicture image={image} />
      <figure>
        <Pixels label={label} {...picture} />
        <figcaption class="small quiet">Grey is nothing; lighter speaks for it, darker against it</figcaption>
      </figure>
    </div>
  );
};
