import { formatBytes } from "@ocelli/inspect";
import { Pencil, Trash2 } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { formatPercent, formatTime } from "../../format.js";
import { currentNetwork } from "../../state.js";
import { checkpointsOf, deleteNetwork, renameNetwork, type SavedNetwork } from "../../store/networks.js";
import { Button, Field, IconButton, Notice, Panel, Spinner } from "../../ui/index.js";
import { trainer } from "../../workers/train/client.js";
import { changes, choose, refresh, saved, storageProblem } from "./session.js";
import { StorageUse } from "./storage-use.js";
import { useTask } from "./task.js";

type Act = { readonly kind: "rename" | "delete"; readonly network: SavedNetwork } | undefined;

/** The networks that the site's storage holds. */
export const SavedPanel: FunctionComponent = () => {
  const [act, setAct] = useState<Act>();
  const task = useTask<void>();
  const { value: networks } = saved;
  const carryOut = (what: string, work: () => Promise<void>): void => {
    setAct(undefined);
    task.run(what, async () => {
      await work();
      await refresh();
    });
  };
  return (
    <Panel title="Kept in this browser">
      {networks === undefined ? <Spinner label="Looking" /> : null}
      {storageProblem.value === undefined ? null : (
        <Notice kind="warning" title="Nothing can be kept">
          {storageProblem.value}
        </Notice>
      )}
      {networks?.length === 0 && storageProblem.value === undefined ? (
        <p class="quiet small">No networks yet. Those that you train or bring along are listed here.</p>
      ) : null}
      {networks === undefined || networks.length === 0 ? null : <List networks={networks} onAct={setAct} />}
      {act?.kind === "rename" ? (
        <Rename
          key={act.network.id}
          network={act.network}
          onCancel={() => setAct(undefined)}
          onName={(title) => carryOut("Renaming", () => renameNetwork(act.network.id, title))}
        />
      ) : null}
      {act?.kind === "delete" ? (
        <AskDelete
          key={act.network.id}
          network={act.network}
          onCancel={() => setAct(undefined)}
          onDelete={() =>
            carryOut("Deleting", async () => {
              await deleted(act.network);
              if (currentNetwork.value === act.network.id) currentNetwork.value = undefined;
            })
          }
        />
      ) : null}
      {task.busy === undefined ? null : <Spinner label={task.busy} />}
      {task.error === undefined ? null : <Notice kind="error">{task.error.message}</Notice>}
      <StorageUse />
    </Panel>
  );
};

/** A training may be open, here or in another tab, and would store it again. */
const deleted = ({ id, source }: SavedNetwork): Promise<void> =>
  source === "trained" ? trainer().discardRun(id) : deleteNetwork(id);

interface ListProps {
  readonly networks: readonly SavedNetwork[];
  readonly onAct: (act: Act) => void;
}

const List: FunctionComponent<ListProps> = ({ networks, onAct }) => {
  const sizes = useSizes(networks);
  return (
    <ul class="take-away-saved" aria-label="Networks in this browser">
      {networks.map((network) => {
        const { id, title, accuracy, source, created } = network;
        const now = currentNetwork.value === id;
        return (
          <li key={id} class={now ? "chosen" : undefined}>
            <button type="button" aria-pressed={now} onClick={() => choose(id)}>
              {title}
            </button>
            <span class="take-away-actions">
              <IconButton label={`Rename ${title}`} onClick={() => onAct({ kind: "rename", network })}>
                <Pencil size={16} aria-hidden="true" />
              </IconButton>
              <IconButton label={`Delete ${title}`} onClick={() => onAct({ kind: "delete", network })}>
                <Trash2 size={16} aria-hidden="true" />
              </IconButton>
            </span>
            <span class="quiet small figures">
              {accuracy === null ? "accuracy not known" : `accuracy ${formatPercent(accuracy)}`}
              {sizes[id] === undefined ? "" : ` · ${formatBytes(sizes[id])}`} · {source} · {formatTime(created)}
            </span>
          </li>
        );
      })}
    </ul>
  );
};

/** Bytes of the files of each network. */
function useSizes(networks: readonly SavedNetwork[]): Readonly<Record<string, number>> {
  const [sizes, setSizes] = useState<Readonly<Record<string, number>>>({});
  const { value: change } = changes;
  useEffect(() => {
    const all = networks.map(async ({ id }) => {
      const files = await checkpointsOf(id);
      return [id, files.reduce((sum, { bytes }) => sum + bytes, 0)] as const;
    });
    Promise.all(all).then(
      (found) => setSizes(Object.fromEntries(found)),
      // Sizes are for orientation; what is wrong with the storage is said where something is to be done.
      () => setSizes({}),
    );
  }, [change]);
  return sizes;
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
