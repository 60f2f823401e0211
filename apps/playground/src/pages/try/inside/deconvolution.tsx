import type { FunctionComponent } from "preact";
import { useMemo } from "preact/hooks";
import { Checkbox, Notice, NumberField, Spinner } from "../../../ui/index.js";
import type { LoadedNetwork } from "../../../workers/try/api.js";
import { Failure } from "../answer.js";
import { useAsked } from "../asked.js";
import { LayerChooser } from "./choosers.js";
import { SideBySide } from "./on-pixels.js";
import { channel, layer, mapLayers } from "./state.js";

export const Deconvolution: FunctionComponent<{ readonly network: LoadedNetwork }> = ({ network }) => {
  const layers = useMemo(() => mapLayers(network), [network]);
  const chosen = layers.find(({ path }) => path === layer.value) ?? layers[0];
  const wanted = channel.value;
  const path = chosen?.path;
  const asked = useAsked(
    path === undefined
      ? undefined
      : (api, { key, pixels }) => api.deconvolution(key, pixels, { layer: path, channel: wanted }),
    [path, wanted],
  );
  if (chosen === undefined) return <Notice kind="info">No layer of this network gives a map.</Notice>;
  const [channels] = chosen.shape as readonly [number];
  const { value, busy, error } = asked;
  return (
    <div class="try-parts">
      <div class="stack">
        <LayerChooser
          layers={layers}
          value={chosen.path}
          onChange={(to) => {
            layer.value = to;
            channel.value = undefined;
          }}
        />
        <Checkbox
          label="The channel with the strongest activation"
          checked={wanted === undefined}
          onChange={(strongest) => {
            channel.value = strongest ? undefined : (value?.answer.channel ?? 0);
          }}
        />
        {wanted === undefined ? null : (
          <NumberField
            label="Channel"
            value={wanted}
            min={0}
            max={channels - 1}
            onChange={(to) => {
              channel.value = to;
            }}
          />
        )}
        {value === undefined ? null : (
          <p class="small quiet figures" role="status">
            Channel <strong>{value.answer.channel}</strong> is strongest in row {value.answer.row + 1}, column{" "}
            {value.answer.column + 1} of its map: {value.answer.activation.toPrecision(3)}.
          </p>
        )}
        <Failure error={error} />
        {busy && value === undefined ? <Spinner label="Computing" /> : null}
      </div>
      <div class="try-picture">
        {value === undefined ? null : (
          <SideBySide
            label={`What the strongest activation of channel ${value.answer.channel} came from`}
            seen={value.seen}
            {...value.answer}
          />
        )}
      </div>
    </div>
  );
};
