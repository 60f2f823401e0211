import "./combobox.css";
import { ChevronDown } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Field } from "../ui/index.js";
import { bestEntry, type PickerEntry, pickerEntries, searchEntries } from "./entries.js";

interface ComboboxProps {
  readonly label: string;
  /** Shown as long as nothing is typed. */
  readonly shown: string;
  /** Id of the entry that is chosen. */
  readonly chosen?: string | undefined;
  readonly entries?: readonly PickerEntry[] | undefined;
  readonly hint?: string | undefined;
  readonly onChoose: (entry: PickerEntry) => void;
}

/** A network by name: typed or from a list, after the ARIA pattern of an editable combobox with list. */
export const ModelCombobox: FunctionComponent<ComboboxProps> = ({
  label,
  shown,
  chosen,
  entries = pickerEntries,
  hint,
  onChoose,
}) => {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  // Undefined: closed. Empty: open, nothing typed yet.
  const [query, setQuery] = useState<string>();
  const [active, setActive] = useState<string>();
  const open = query !== undefined;
  const found = open ? searchEntries(query, entries) : [];
  const place = found.findIndex((entry) => entry.id === active);

  useEffect(() => {
    if (open && active !== undefined)
      list.current?.querySelector(`[data-id="${active}"]`)?.scrollIntoView({ block: "nearest" });
  }, [active, open]);

  // Who types goes on to another network, and adds nothing to this one's name.
  useEffect(() => {
    if (!open && document.activeElement === input.current) input.current?.select();
  }, [open, shown]);

  const show = (text: string): void => {
    const matching = searchEntries(text, entries);
    setQuery(text);
    setActive(text === "" ? chosen : bestEntry(text, matching)?.id);
  };
  const close = (): void => {
    setQuery(undefined);
    setActive(undefined);
  };
  const choose = (entry: PickerEntry | undefined): void => {
    close();
    if (entry !== undefined) onChoose(entry);
  };
  const move = (to: number): void => setActive(found[Math.max(0, Math.min(found.length - 1, to))]?.id);
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => (open ? move(place + 1) : show("")),
    ArrowUp: () => (open ? move(place - 1) : show("")),
    ...(open && {
      PageDown: () => move(place + 8),
      PageUp: () => move(place - 8),
      Enter: () => choose(found[place]),
      Escape: close,
    }),
  };
  return (
    <div class="combobox">
      <Field label={label} hint={hint}>
        {(ids) => (
          <div class="combobox-input">
            <input
              {...ids}
              ref={input}
              role="combobox"
              type="text"
              autocomplete="off"
              spellcheck={false}
              aria-expanded={open}
              aria-controls={`${id}-list`}
              aria-autocomplete="list"
              aria-activedescendant={open && place >= 0 ? `${id}-${place}` : undefined}
              value={query ?? shown}
              placeholder={open ? `${shown}: type a name, an author, a year` : undefined}
              onClick={() => (open ? undefined : show(""))}
              onInput={({ currentTarget }) => show(currentTarget.value)}
              onBlur={close}
              onKeyDown={(event) => {
                const act = keys[event.key];
                if (act === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
                event.preventDefault();
                act();
              }}
            />
            <ChevronDown size={18} aria-hidden="true" />
          </div>
        )}
      </Field>
      <div
        ref={list}
        id={`${id}-list`}
        class="combobox-list"
        role="listbox"
        aria-label={`${label}: choices`}
        hidden={!open || found.length === 0}
      >
        <Groups found={found} id={id} {...{ active, chosen }} onPoint={setActive} onChoose={choose} />
      </div>
      {open && found.length === 0 ? (
        <div class="combobox-list combobox-none" role="status">
          No network has "{query}" in its name, its description or its paper.
        </div>
      ) : null}
    </div>
  );
};

interface GroupsProps {
  readonly found: readonly PickerEntry[];
  readonly id: string;
  readonly active: string | undefined;
  readonly chosen: string | undefined;
  readonly onPoint: (entry: string) => void;
  readonly onChoose: (entry: PickerEntry) => void;
}

const Groups: FunctionComponent<GroupsProps> = ({ found, id, active, chosen, onPoint, onChoose }) => (
  <>
    {[...new Set(found.map(({ group }) => group))].map((group, g) => (
      // biome-ignore lint/a11y/useSemanticElements: a fieldset is no part of a list.
      <div key={group} role="group" aria-labelledby={`${id}-group-${g}`}>
        <span id={`${id}-group-${g}`}>{group}</span>
        {found.map((entry, i) =>
          entry.group !== group ? null : (
            // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text field, which names the active option.
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the text field's.
            <div
              key={entry.id}
              id={`${id}-${i}`}
              data-id={entry.id}
              role="option"
              aria-selected={entry.id === chosen}
              class={entry.id === active ? "active" : undefined}
              // The text field keeps the focus: its loss closes the list.
              onPointerDown={(event) => event.preventDefault()}
              onPointerMove={() => (entry.id === active ? undefined : onPoint(entry.id))}
              onClick={() => onChoose(entry)}
            >
              <strong>
                {entry.title}
                {entry.code === undefined ? null : <code>{entry.code}</code>}
              </strong>
              <span>{entry.about}</span>
            </div>
          ),
        )}
      </div>
    ))}
  </>
);
