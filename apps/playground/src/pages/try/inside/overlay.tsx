import { signal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useMemo } from "preact/hooks";
import { heatOverlay, imagePicture, type Picture } from "../../../model/pictures.js";
import { Pixels, Slider } from "../../../ui/index.js";
import type { Seen } from "../../../workers/try/api.js";

/** Kept from one method to the next. */
const opacity = signal(0.65);

interface OverlayProps {
  /** What is to be seen, in words. */
  readonly label: string;
  readonly seen: Seen;
  /** As many values as the image has pixels; what is below 0 counts as 0. */
  readonly heat: Float32Array;
}

/** Heat over the image: the slider says how much of which. */
export const Overlay: FunctionComponent<OverlayProps> = ({ label, seen, heat }) => {
  const image = useMemo(() => imagePicture(seen.pixels, seen.shape), [seen]);
  const range = useMemo(() => ({ min: 0, max: heat.reduce((most, value) => Math.max(most, value), 0) }), [heat]);
  const picture = useMemo(() => heatOverlay(image, heat, opacity.value, range), [image, heat, range, opacity.value]);
  return (
    <div class="try-pair">
      <SeenPicture image={image} />
      <figure class="stack">
        <Pixels label={label} {...picture} />
        <Scale />
        <Slider
          label="Opacity"
          value={opacity.value}
          min={0}
          max={1}
          step={0.05}
          shown={`${Math.round(100 * opacity.value)} %`}
          onChange={(value) => {
            opacity.value = value;
          }}
        />
      </figure>
    </div>
  );
};

/** What stands beside a picture of what the network made of it. */
export const SeenPicture: FunctionComponent<{ readonly image: Picture }> = ({ image }) => (
  <figure>
    <Pixels label="What the network sees" {...image} />
    <figcaption class="small quiet">What the network sees</figcaption>
  </figure>
);

/** What the colours mean. */
const Scale: FunctionComponent = () => (
  <div class="try-scale small quiet">
    <span>nothing</span>
    <span class="try-ramp" aria-hidden="true" />
    <span>most</span>
  </div>
);
