import { formatBytes } from "@ocelli/inspect";
import { Pencil, Trash2 } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatPercent, formatTime } from "../../format.js";
import { useNewest } from "../../newest.js";
import { currentNetwork } from "../../state.js";
import { heldBytes, isHeld, letGo, networks, rename, storageProblem } from "../../store/listing.js";
import { checkpointsOf, deleteNetwork, type SavedNetwork } from "../../store/networks.js";
import { Button, Field, IconButton, Notice, Panel, Spinner } from "../../ui/index.js";
import { useEscape } from "../../ui/use-escape.js";
import { trainer } from "../../workers/train/client.js";
import { choose } from "./session.js";
import { StorageUse } from "./storage-use.js";

type Act = { readonly kind: "rename" | "delete"; readonly network: SavedNetwork } | undefined;

/** The networks that the site's storage holds. */
export const SavedPanel: FunctionComponent = () => {
  const [act, setAct] = useState<Act>();
  const doing = useNewest<void>();
  const { busy, error } = doing.state.value;
  const { value: all } = networks;
  const { value: problem } = storageProblem;
  const carryOut = (work: () => Promise<void>): void => {
    setAct(undefined);
    doing.ask(work);
  };
  return (
    <Panel title="Kept in this browser">
      {all === undefined ? <Spinner label="Looking" /> : null}
      {problem === undefined ? null : (
        <Notice kind="warning" title="Nothing can be kept">
          {problem} Until then, what you bring along stays in memory as long as this page is open: download what
          matters.
        </Notice>
      )}
      {all?.length === 0 && problem === undefined ? (
        <p class="quiet small">No networks yet. Those that you train or bring along are listed here.</p>
      ) : null}
      {all === undefined || all.length === 0 ? null : <List networks={all} disabled={busy} onAct={setAct} />}
      {act?.kind === "rename" ? (
        <Rename
          key={act.network.id}
          network={act.network}
          onCancel={() => setAct(undefined)}
          onName={(title) => carryOut(() => rename(act.network.id, title))}
        />
      ) : null}
      {act?.kind === "delete" ? (
        <AskDelete
          key={act.network.id}
          network={act.network}
          onCancel={() => setAct(undefined)}
          onDelete={() =>
            carryOut(async () => {
              await deleted(act.network);
              if (currentNetwork.value === act.network.id) currentNetwork.value = undefined;
            })
          }
        />
      ) : null}
      {busy ? <Spinner label="Working on it" /> : null}
      {error === undefined ? null : <Notice kind="error">{error.message}</Notice>}
      {problem === undefined ? <StorageUse /> : null}
    </Panel>
  );
};

/** A training may be open, here or in another tab, and would store it again. */
async function deleted({ id, source }: SavedNetwork): Promise<void> {
  if (isHeld(id)) letGo(id);
  else if (source === "trained") await trainer().discardRun(id);
  else await deleteNetwork(id);
}

interface ListProps {
  readonly networks: readonly SavedNetwork[];
  readonly disabled: boolean;
  readonly onAct: (act: Act) => void;
}

const List: FunctionComponent<ListProps> = ({ networks: all, disabled, onAct }) => {
  const sizes = useSizes(all);
  return (
    <ul class="take-away-saved" aria-label="Networks in this browser">
      {all.map((network) => {
        const { id, title, accuracy, source, created } = network;
        const now = currentNetwork.value === id;
        return (
          <li key={id} class={now ? "chosen" : undefined}>
            <button type="button" aria-pressed={now} onClick={() => choose(id)}>
              {title}
            </button>
            <span class="take-away-actions">
              <IconButton
                label={`Rename ${title}`}
                disabled={disabled}
                onClick={() => onAct({ kind: "rename", network })}
              >
                <Pencil size={16} aria-hidden="true" />
              </IconButton>
              <IconButton
                label={`Delete ${title}`}
                disabled={disabled}
                onClick={() => onAct({ kind: "delete", network })}
              >
                <Trash2 size={16} aria-hidden="true" />
              </IconButton>
            </span>
            <span class="quiet small figures">
              {accuracy === null ? "accuracy not known" : `accuracy ${formatPercent(accuracy)}`}
              {sizes[id] === undefined ? "" : ` · ${formatBytes(sizes[id])}`} · {source} ·{" "}
              {isHeld(id) ? "in memory alone" : formatTime(created)}
            </span>
          </li>
        );
      })}
    </ul>
  );
};

/** Bytes of the files of each network. */
function useSizes(all: readonly SavedNetwork[]): Readonly<Record<string, number>> {
  const [sizes, setSizes] = useState<Readonly<Record<string, number>>>({});
  useEffect(() => {
    Promise.all(all.map(async ({ id }) => [id, await bytesOf(id)] as const)).then(
      (found) => setSizes(Object.fromEntries(found)),
      // Sizes are for orientation; what is wrong with the storage is said where something is to be done.
      () => setSizes({}),
    );
  }, [all]);
  return sizes;
}

async function bytesOf(id: string): Promise<number> {
  return heldBytes(id) ?? (await checkpointsOf(id)).reduce((sum, { bytes }) => sum + bytes, 0);
}

interface RenameProps {
  readonly network: SavedNetwork;
  readonly onName: (title: string) => void;
  readonly onCancel: () => void;
}

const longestTitle = 200;

const Rename: FunctionComponent<RenameProps> = ({ network, onName, onCancel }) => {
  const [title, setTitle] = useState(network.title);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.select(), []);
  useEscape(onCancel);
  const name = title.trim();
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (name !== "") onName(name);
      }}
    >
      <Field label={`New name of ${network.title}`} error={name === "" ? "needs a name" : undefined}>
        {(ids) => (
          <input
            {...ids}
            ref={input}
            value={title}
            maxLength={longestTitle}
            onInput={({ currentTarget }) => setTitle(currentTarget.value)}
          />
        )}
      </Field>
      <div class="row">
        <Button kind="primary" type="submit" disabled={name === ""}>
          Rename
        </Button>
        <Button onClick={onCancel}>Leave it</Button>
      </div>
    </form>
  );
};

interface AskDeleteProps {
  readonly network: SavedNetwork;
  readonly onDelete: () => void;
  readonly onCancel: () => void;
}

const AskDelete: FunctionComponent<AskDeleteProps> = ({ network, onDelete, onCancel }) => {
  const place = useRef<HTMLDivElement>(null);
  // The harmless answer is the one that Enter gives.
  useEffect(() => place.current?.querySelector<HTMLElement>("button:last-of-type")?.focus(), []);
  useEscape(onCancel);
  return (
    <div ref={place}>
      <Notice
        kind="warning"
        title={`Delete ${network.title}?`}
        actions={
          <>
            <Button kind="danger" onClick={onDelete}>
              Delete
            </Button>
            <Button onClick={onCancel}>Keep</Button>
          </>
        }
      >
        Its values and the standing of its training are lost. Download a file first if you may want them again.
      </Notice>
    </div>
  );
};
