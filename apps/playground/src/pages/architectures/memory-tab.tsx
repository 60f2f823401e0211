import "./memory-tab.css";
import { formatBytes, type PeakMemory } from "@ocelli/inspect";
import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { Notice, NumberField, Select, Spinner, Table } from "../../ui/index.js";
import type { Analysis, Memory } from "../../workers/analysis/api.js";
import { memoryLane, useAnswer } from "../../workers/analysis/client.js";

const parts = [
  ["parameters", "Parameters", "1"],
  ["optimizerState", "Optimizer", "4"],
  ["buffers", "Statistics and constants", "5"],
  ["input", "Images and labels", "6"],
  ["activations", "Activations", "2"],
  ["gradients", "Gradients", "3"],
] as const;

const optimizers = { 0: "SGD", 1: "SGD with momentum", 2: "Adam" } as const;

/** What a batch takes at the fullest moment, in use and in training. */
export const MemoryTab: FunctionComponent<{ readonly analysis: Analysis }> = ({ analysis }) => {
  const [batch, setBatch] = useState(32);
  const [slots, setSlots] = useState(1);
  const { spec, title } = analysis;
  const { value, error, pending } = useAnswer(memoryLane, JSON.stringify([spec, batch, slots]), (api) =>
    api.memory(spec, { batch, optimizerSlots: slots }),
  );
  return (
    <div class="stack">
      <p>
        Peak memory: the fullest moment of a pass, when each value lives from the operation that makes it to the last
        one that reads it. Counted from shapes; nothing is run.
      </p>
      <div class="row">
        <NumberField label="Batch" hint="Images at once" value={batch} min={1} max={4096} onChange={setBatch} />
        <Select
          label="Optimizer"
          hint="What it keeps for each parameter"
          value={`${slots}`}
          choices={Object.entries(optimizers).map(([count, label]) => ({ value: count, label }))}
          onChange={(count) => setSlots(Number(count))}
        />
      </div>
      {error === undefined ? null : <Notice kind="error">{error}</Notice>}
      {pending ? <Spinner label="Following every value" /> : null}
      {value === undefined ? null : <Peaks title={title} memory={value} />}
    </div>
  );
};

const Peaks: FunctionComponent<{ readonly title: string; readonly memory: Memory }> = ({ title, memory }) => {
  const { inference, training } = memory;
  const bar = (name: string, peak: PeakMemory) => (
    <div>
      <div class="row spread">
        <strong>{name}</strong>
        <span class="figures">{formatBytes(peak.total)}</span>
      </div>
      <div
        class="memory-bar"
        aria-hidden="true"
        style={{ width: `${Math.max(1, (100 * peak.total) / training.total)}%` }}
      >
        {parts.map(([key, , colour]) => (
          <span key={key} style={{ flexGrow: peak[key], background: `var(--series-${colour})` }} />
        ))}
      </div>
      <span class="quiet small">The fullest moment is in {peak.at}.</span>
    </div>
  );
  return (
    <>
      <div class="memory-bars">
        {bar("In use (inference)", inference)}
        {bar("In training, one step", training)}
      </div>
      <Table
        caption={`Peak memory of ${title}`}
        rows={parts}
        keyOf={([key]) => key}
        columns={[
          {
            title: "What lies in memory",
            cell: ([, name, colour]) => (
              <>
                <span class="memory-swatch" style={{ background: `var(--series-${colour})` }} />
                {name}
              </>
            ),
          },
          { title: "In use", number: true, cell: ([key]) => bytes(inference[key]) },
          { title: "In training", number: true, cell: ([key]) => bytes(training[key]) },
        ]}
        footer={
          <tr>
            <th scope="row">Total</th>
            <td class="number">{formatBytes(inference.total)}</td>
            <td class="number">{formatBytes(training.total)}</td>
          </tr>
        }
      />
    </>
  );
};

const bytes = (count: number): string => (count === 0 ? "-" : formatBytes(count));
