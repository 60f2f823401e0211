import "./chain-editor.css";
import { formatCount } from "@ocelli/inspect";
import { ArrowDown, ArrowUp, GripVertical, Plus, Trash2 } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type LayerKind, layerKinds } from "../model/layers.js";
import type { LayerSpec, LayersSpec } from "../model/spec.js";
import { Button, Field, IconButton, NumberField, Select } from "../ui/index.js";
import type { ChainStep, CheckedChain } from "../workers/analysis/api.js";
import { chainLane, useAnswer } from "../workers/analysis/client.js";
import { type Drag, useDrag } from "./chain-drag.js";

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
  const { drag, gripOf } = useDrag(list, layers.length, move);
  return (
    <div class="chain">
      <ChainName value={value.name} onChange={(name) => onChange({ ...value, name })} />
      <ol class="chain-list" ref={list} aria-label="Layers, from the image to the classes">
        {layers.map((layer, i) => (
          <Step
            // Equal layers are told apart by their places alone.
            key={`${i} ${layer.of}`}
            {...{ layer, move, remove, drag }}
            grip={gripOf(i)}
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
            <span class="chain-place">{layers.length + 1}</span>
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

const longestName = 200;

/** What it is called wherever networks have names: headings, files, links. */
const ChainName: FunctionComponent<{ readonly value: string; readonly onChange: (name: string) => void }> = ({
  value,
  onChange,
}) => {
  const [text, setText] = useState(value);
  // A link may bring another one; a space at the end is on the way to the next word. At once: later, it would undo what was typed since.
  useLayoutEffect(() => setText((typed) => (typed.trim() === value ? typed : value)), [value]);
  const type = (typed: string): void => {
    setText(typed);
    if (typed.trim() !== "") onChange(typed.trim());
  };
  return (
    <Field label="Name" error={text.trim() === "" ? "needs a name" : undefined}>
      {(ids) => (
        <input
          {...ids}
          value={text}
          maxLength={longestName}
          onInput={({ currentTarget }) => type(currentTarget.value)}
        />
      )}
    </Field>
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
  /** What the layer is dragged by, and the drag that is under way. */
  readonly grip: ReturnType<ReturnType<typeof useDrag>["gripOf"]>;
  readonly drag: Drag | undefined;
  readonly onOptions: (options: LayerSpec["options"]) => void;
}

const Step: FunctionComponent<StepProps> = (props) => {
  const { layer, place, count, made, error, move, remove, grip, drag, onOptions } = props;
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
    <li
      class={`chain-step ${error === undefined ? "" : "broken"} ${dragClass(drag, place)}`}
      style={drag?.from === place ? { transform: `translateY(${drag.by}px)` } : undefined}
      onKeyDown={moveByKey}
    >
      <div class="chain-name" title={kind?.about}>
        <span class="chain-grip" title="Drag to another place" aria-hidden="true" {...grip}>
          <GripVertical size={16} />
        </span>
        <span class="chain-place">{place + 1}</span>
        <strong>{title}</strong>
      </div>
      <fieldset class="chain-numbers" aria-label={`Layer ${place + 1}, ${title}`}>
        {(kind?.fields ?? []).map(({ name, label, default: usual, min, max, step }) => (
          <NumberField
            key={name}
            {...{ label, min, max, step }}
            value={Number(layer.options[name] ?? usual)}
            onChange={(number) => onOptions({ ...layer.options, [name]: number })}
          />
        ))}
      </fieldset>
      <span class="chain-made">
        {made === undefined
          ? ""
          : `${made.after.join("×")}${made.parameters === 0 ? "" : `, ${formatCount(made.parameters)} parameters`}`}
      </span>
      <div class="chain-buttons">
        <IconButton
          label={`Move ${title} up, from place ${place + 1}`}
          data-action="up"
          disabled={place === 0}
          onClick={() => move(place, place - 1)}
        >
          <ArrowUp size={16} aria-hidden="true" />
        </IconButton>
        <IconButton
          label={`Move ${title} down, from place ${place + 1}`}
          data-action="down"
          disabled={place === count - 1}
          onClick={() => move(place, place + 1)}
        >
          <ArrowDown size={16} aria-hidden="true" />
        </IconButton>
        <IconButton label={`Remove ${title}, at place ${place + 1}`} data-action="remove" onClick={() => remove(place)}>
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

/** What is dragged, and the line that it would come to stand beside. */
function dragClass(drag: Drag | undefined, place: number): string {
  if (drag === undefined) return "";
  const { from, to } = drag;
  if (place === from) return "dragged";
  return place !== to ? "" : to < from ? "drop-above" : "drop-below";
}

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
