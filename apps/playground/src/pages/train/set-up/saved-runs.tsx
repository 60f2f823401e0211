import { Trash2 } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { formatPercent, formatTime } from "../../../format.js";
import { Button, type Column, IconButton, Panel, Table } from "../../../ui/index.js";
import type { StoredRun } from "../../../workers/train/api.js";
import { Confirm } from "../confirm.js";
import { continueRun, discardRun, isActive, runs } from "../session/run.js";

const states: Readonly<Record<StoredRun["state"], string>> = {
  interrupted: "interrupted",
  paused: "paused",
  stopped: "stopped",
  failed: "failed",
  done: "done",
};

const columns: readonly Column<StoredRun>[] = [
  { title: "Network", cell: ({ network }) => network.title },
  { title: "Saved", cell: ({ saved }) => formatTime(saved) },
  { title: "Stands at", cell: (run) => standing(run) },
  {
    title: "Accuracy",
    hint: "Of the images that judge it",
    number: true,
    cell: ({ network }) => (network.accuracy === null ? "none yet" : formatPercent(network.accuracy)),
  },
  { title: "What to do", cell: (run) => <Actions run={run} /> },
];

/** What was trained here before, as far as it can be gone on with. */
export const SavedRuns: FunctionComponent = () =>
  runs.value.length === 0 ? null : (
    <Panel title="Kept in this browser">
      <Table caption="Trainings" columns={columns} rows={runs.value} keyOf={({ network }) => network.id} />
    </Panel>
  );

export const standing = ({ state, epoch, epochs, open }: StoredRun): string =>
  open ? "trained in another tab" : `${states[state]}, epoch ${epoch} of ${epochs}`;

const Actions: FunctionComponent<{ readonly run: StoredRun }> = ({ run: { network, state, open } }) => (
  <div class="row train-actions">
    <Button disabled={open || isActive.value} onClick={() => void continueRun(network.id)}>
      {state === "done" ? "Look at it" : "Go on"}
    </Button>
    <Confirm
      question={`Delete ${network.title} and what it has learnt?`}
      yes="Delete"
      onYes={() => void discardRun(network.id)}
    >
      {(ask) => (
        <IconButton label={`Delete ${network.title}`} disabled={open} onClick={ask}>
          <Trash2 size={18} aria-hidden="true" />
        </IconButton>
      )}
    </Confirm>
  </div>
);
