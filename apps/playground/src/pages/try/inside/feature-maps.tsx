import type { FunctionComponent } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { divergingPicture, greyPicture, type Picture, type Size } from "../../../model/pictures.js";
import { isDark } from "../../../theme.js";
import { Button, Figure, Figures, Notice, Pixels, Select, Spinner } from "../../../ui/index.js";
import type { LoadedNetwork, Maps } from "../../../workers/try/api.js";
import { Failure } from "../answer.js";
import { useAsked } from "../asked.js";
import { LayerChooser } from "./choosers.js";
import { type ChannelMap, channelMaps, type Order } from "./ranked-maps.js";
import { channel, layer, layerOf, method } from "./state.js";

export const FeatureMaps: FunctionComponent<{ readonly network: LoadedNetwork }> = ({ network }) => {
  const [order, setOrder] = useState<Order>("strongest");
  const path = layerOf(network, layer.value)?.path;
  const asked = useAsked(
    path === undefined ? undefined : (api, { key, pixels }) => api.featureMaps(key, pixels, path),
    [path],
  );
  if (path === undefined) return <Notice kind="info">This network has no layers that could be shown.</Notice>;
  const { value, busy, error } = asked;
  return (
    <div class="stack">
      <div class="try-choices">
        <LayerChooser
          layers={network.layers}
          value={path}
          onChange={(to) => {
            layer.value = to;
          }}
        />
        <Select
          label="Order"
          value={order}
          choices={[
            { value: "strongest", label: "Strongest first" },
            { value: "index", label: "By number" },
          ]}
          onChange={setOrder}
        />
      </div>
      <Failure error={error} />
      {busy && value === undefined ? <Spinner label="Computing" /> : null}
      {value === undefined ? null : value.answer.shape.length === 3 ? (
        <Sheet maps={value.answer} order={order} />
      ) : (
        <Vector maps={value.answer} />
      )}
    </div>
  );
};

/** Pixels that are painted without the page being missed. */
const paintedAtOnce = 400_000;
const tilesAtMost = 48;

const Sheet: FunctionComponent<{ readonly maps: Maps; readonly order: Order }> = ({ maps, order }) => {
  const [, height, width] = maps.shape as readonly [number, number, number];
  const page = Math.max(6, Math.min(tilesAtMost, Math.floor(paintedAtOnce / (height * width))));
  const [count, setCount] = useState(page);
  const [chosen, setChosen] = useState<number>();
  useEffect(() => {
    setCount(page);
    setChosen(undefined);
  }, [maps.layer, page]);
  const ranked = useMemo(() => channelMaps(maps, order), [maps, order]);
  const large = ranked.find((map) => map.channel === chosen) ?? ranked[0];
  // Of a layer whose maps go below 0, all are in the same colours.
  const look = { size: [height, width] as const, signed: ranked.some(({ min }) => min < 0) };
  return (
    <div class="try-maps">
      <div class="stack">
        <ul class={`try-sheet-of-maps ${tiles(ranked.length)}`} aria-label={`Maps of ${maps.layer}`}>
          {ranked.slice(0, count).map((map) => (
            <li key={map.channel}>
              <button
                type="button"
                class="try-map"
                aria-pressed={map.channel === large?.channel}
                aria-label={`Channel ${map.channel}, mean ${short(map.mean)}`}
                onClick={() => setChosen(map.channel)}
              >
                <MapPixels map={map} label="" {...look} />
                <span class="small figures">{map.channel}</span>
              </button>
            </li>
          ))}
        </ul>
        {count < ranked.length ? (
          <div class="row">
            <Button onClick={() => setCount(count + page)}>Show more</Button>
            <span class="small quiet figures">
              {count} of {ranked.length} maps
            </span>
          </div>
        ) : null}
      </div>
      {large === undefined ? null : <Large map={large} layer={maps.layer} {...look} />}
    </div>
  );
};

/** Few maps are large ones. */
const tiles = (count: number): string => (count <= 8 ? "large" : count <= 24 ? "medium" : "");

interface MapProps {
  readonly map: ChannelMap;
  readonly size: Size;
  /** Whether 0 is in the middle, and not the least. */
  readonly signed: boolean;
}

/** Black to white of maps that begin at 0; orange and blue of those that go below. */
const MapPixels: FunctionComponent<MapProps & { readonly label: string }> = ({ map, size, signed, label }) => {
  const dark = isDark();
  const picture = useMemo(() => shown(map.values, size, signed, dark), [map, signed, dark]);
  return <Pixels label={label} {...picture} />;
};

function shown(values: Float32Array, size: Size, signed: boolean, dark: boolean): Picture {
  return signed ? divergingPicture(values, size, dark) : greyPicture(values, size);
}

const short = (value: number): string => value.toPrecision(3);

const Large: FunctionComponent<MapProps & { readonly layer: string }> = ({ map, size, signed, layer: path }) => {
  const project = (): void => {
    layer.value = path;
    channel.value = map.channel;
    method.value = "deconvolution";
  };
  return (
    <div class="stack try-large">
      <h3>
        Channel {map.channel} <span class="quiet small figures">{size.join(" × ")}</span>
      </h3>
      <MapPixels {...{ map, size, signed }} label={`The map of channel ${map.channel}`} />
      <p class="small quiet">{signed ? "Orange is above 0, blue below." : "Black is the least, white the greatest."}</p>
      <Figures>
        <Figure label="Least" value={short(map.min)} />
        <Figure label="Mean" value={short(map.mean)} />
        <Figure label="Greatest" value={short(map.max)} />
      </Figures>
      {size[0] * size[1] > 1 ? (
        <div>
          <Button onClick={project}>Where it comes from</Button>
        </div>
      ) : null}
    </div>
  );
};

const columns = 32;

/** A vector's numbers as squares, row by row. */
const Vector: FunctionComponent<{ readonly maps: Maps }> = ({ maps: { values, layer: path } }) => {
  const dark = isDark();
  const picture = useMemo(() => {
    const wide = Math.min(columns, values.length);
    const rows = Math.ceil(values.length / wide);
    const padded = new Float32Array(rows * wide);
    padded.set(values);
    return shown(
      padded,
      [rows, wide],
      values.some((value) => value < 0),
      dark,
    );
  }, [values, dark]);
  return (
    <figure class="try-vector">
      <Pixels label={`The ${values.length} numbers of ${path}`} {...picture} />
      <figcaption class="small quiet">
        {values.length} numbers, {columns} a row: this layer gives no map, but one number for the whole picture and each
        unit.
      </figcaption>
    </figure>
  );
};
