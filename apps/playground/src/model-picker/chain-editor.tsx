import "./chain-editor.css";
import { formatCount } from "@ocelli/inspect";
import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useRef, useState } from "preact/hooks";
import { type LayerKind, layerKinds } from "../model/layers.js";
import type { LayerSpec, LayersSpec } from "../model/spec.js";
import { Button, IconButton, NumberField, Select } from "../ui/index.js";
import type { ChainStep, CheckedChain } from "../workers/analysis/api.js";
import { chainLane, useAnswer } from "../workers/analysis/client.js";

interface ChainEditorProps {
  readonly value: LayersSpec;
  readonly onChange: (spec: LayersSpec) => void;
}

/** A network put together layer by layer; each line says what comes out of it, and a layer that does not fit why. */
export const ChainEditor: FunctionComponent<ChainEditorProps> = ({ value, onChange }) => {
  const { input, layers, numClasses } = value;
  const [said, setSaid] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const { value: checked } = useAnswer(chainLane, JSON.stringify([input, layers]), (api) =>
    api.chain({ input, layers }),
  );
  const change = (next: readonly LayerSpec[], news: string): void => {
    setSaid(news);
    onChange({ ...value, layers: next });
  };
  const move = (from: number, to: number): void => {
    if (to < 0 || to >= layers.length) return;
    const next = [...layers];
    next.splice(to, 0, ...next.splice(from, 1));
    change(next, `${titleOf(layers[from] as LayerSpec)} is now layer ${to + 1} of ${layers.length}`);
    // The focus goes with the layer.
    requestAnimationFrame(() => focusIn(list.current, to, from < to ? "down" : "up"));
  };
  const remove = (at: number): void => {
    change(
      layers.filter((_, i) => i !== at),
      `${titleOf(layers[at] as LayerSpec)} was removed`,
    );
    requestAnimationFrame(() => focusIn(list.current, Math.min(at, layers.length - 2), "remove"));
  };
  return (
    <div class="chain">
      <ol class="chain-list" ref={list} aria-label="Layers, from the image to the classes">
        {layers.map((layer, i) => (
          <Step
            // Equal layers are told apart by their places alone.
            key={`${i} ${layer.of}`}
            {...{ layer, move, remove }}
            place={i}
            count={layers.length}
            made={checked?.steps[i]}
            error={checked?.failed?.layer === i ? checked.failed.message : undefined}
            onOptions={(options) =>
              onChange({ ...value, layers: layers.map((one, j) => (i === j ? { ...one, options } : one)) })
            }
          />
        ))}
        <li class="chain-step">
          <div class="chain-name">
            <span>{layers.length + 1}</span>
            <strong>Fully connected</strong>
          </div>
          <span class="chain-numbers quiet small">To the classes; maps are flattened first</span>
          <span class="chain-made">{lastOf(checked, input, layers.length, numClasses)}</span>
        </li>
      </ol>
      <AddLayer
        onAdd={({ of, title, fields }) =>
          change(
            [...layers, { of, options: Object.fromEntries(fields.map((field) => [field.name, field.default])) }],
            `${title} was added as layer ${layers.length + 1}`,
          )
        }
      />
      <span class="visually-hidden" aria-live="polite">
        {said}
      </span>
    </div>
  );
};

const kindOf = ({ of }: LayerSpec): LayerKind | undefined => layerKinds.find((kind) => kind.of === of);
const titleOf = (layer: LayerSpec): string => kindOf(layer)?.title ?? layer.of;

function focusIn(list: HTMLElement | null, place: number, action: string): void {
  const step = list?.children[place];
  // At the ends of the chain, there is no such way to go.
  (
    step?.querySelector<HTMLElement>(`[data-action="${action}"]:enabled`) ??
    step?.querySelector<HTMLElement>("button:enabled")
  )?.focus();
}

function lastOf(
  checked: CheckedChain | undefined,
  image: readonly number[],
  count: number,
  numClasses: number,
): string {
  if (checked === undefined || checked.failed !== undefined || checked.steps.length !== count) return "";
  const features = (checked.steps.at(-1)?.after ?? image).reduce((a, b) => a * b, 1);
  return `${numClasses}, ${formatCount((features + 1) * numClasses)} parameters`;
}

interface StepProps {
  readonly layer: LayerSpec;
  readonly place: number;
  readonly count: number;
  readonly made: ChainStep | undefined;
  readonly error: string | undefined;
  readonly move: (from: number, to: number) => void;
  readonly remove: (at: number) => void;
  readonly onOptions: (options: LayerSpec["options"]) => void;
}

const Step: FunctionComponent<StepProps> = ({ layer, place, count, made, error, move, remove, onOptions }) => {
  const kind = kindOf(layer);
  const title = titleOf(layer);
  const moveByKey = (event: KeyboardEvent): void => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!event.altKey || by === undefined) return;
    event.preventDefault();
    move(place, place + by);
  };
  return (
    // What the buttons do, by Alt and an arrow as well.
    <li class={`chain-step ${error === undefined ? "" : "broken"}`} onKeyDown={moveByKey}>
      <div class="chain-name" title={kind?.about}>
        <span>{place + 1}</span>
        <strong>{title}</strong>
      </div>
      <div class="chain-numbers">
        {(kind?.fields ?? []).map(({ name, label, default: usual, min, max, step }) => (
          <NumberField
            key={name}
            {...{ label, min, max, step }}
            value={Number(layer.options[name] ?? usual)}
            onChange={(number) => onOptions({ ...layer.options, [name]: number })}
          />
        ))}
      </div>
      <span class="chain-made">
        {made === undefined
          ? ""
          : `${made.after.join("×")}${made.parameters === 0 ? "" : `, ${formatCount(made.parameters)} parameters`}`}
      </span>
      <div class="chain-buttons">
        <IconButton
          label={`Move ${title} up`}
          data-action="up"
          disabled={place === 0}
          onClick={() => move(place, place - 1)}
        >
          <ArrowUp size={16} aria-hidden="true" />
        </IconButton>
        <IconButton
          label={`Move ${title} down`}
          data-action="down"
          disabled={place === count - 1}
          onClick={() => move(place, place + 1)}
        >
          <ArrowDown size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label={`Remove ${title}`} data-action="remove" onClick={() => remove(place)}>
          <Trash2 size={16} aria-hidden="true" />
        </IconButton>
      </div>
      {error === undefined ? null : (
        <div class="chain-error" role="alert">
          {error}
        </div>
      )}
    </li>
  );
};

const AddLayer: FunctionComponent<{ readonly onAdd: (kind: LayerKind) => void }> = ({ onAdd }) => {
  const [of, setOf] = useState("conv");
  const kind = layerKinds.find((one) => one.of === of) as LayerKind;
  return (
    <div class="chain-add">
      <Select
        label="New layer"
        hint={kind.about}
        value={of}
        choices={layerKinds.map((one) => ({ value: one.of, label: one.title, group: one.group }))}
        onChange={setOf}
      />
      <Button onClick={() => onAdd(kind)}>
        <Plus size={16} aria-hidden="true" />
        Add to the end
      </Button>
    </div>
  );
};
