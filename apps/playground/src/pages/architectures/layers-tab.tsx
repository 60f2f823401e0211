import { formatBytes, type LayerRow, summaryCsv } from "@ocelli/inspect";
import { Download } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useMemo, useState } from "preact/hooks";
import { formatNumber } from "../../format.js";
import { fileName } from "../../model/file-name.js";
import { download } from "../../ui/download.js";
import { Button, type Column, Select, Table } from "../../ui/index.js";
import type { Analysis } from "../../workers/analysis/api.js";
import { type Chosen, depthOf, rowsAt, usualDepth } from "./selection.js";
import { pairText, shapeText } from "./words.js";

interface LayersTabProps {
  readonly analysis: Analysis;
  readonly chosen: Chosen | undefined;
  readonly onPoint: (path: string | undefined) => void;
  readonly onChoose: (path: string) => void;
}

/** Rows that a page draws at once. */
const portion = 80;

const count = (value: number): string => (value === 0 ? "-" : formatNumber(value));

const columns: readonly Column<LayerRow>[] = [
  { title: "Layer", cell: ({ path }) => path || "(the network)" },
  { title: "Type", cell: ({ type }) => type },
  {
    title: "Output",
    hint: "Channels, height and width for one image",
    number: true,
    cell: ({ used, outputShape }) =>
      used ? (outputShape === null ? "-" : shapeText(outputShape)) : "in training only",
  },
  {
    title: "Memory",
    hint: "Values that the layer adds to memory; - where it writes over its input",
    number: true,
    cell: ({ storedValues }) => count(storedValues),
  },
  { title: "Weights", number: true, cell: ({ weights }) => count(weights) },
  { title: "Biases", number: true, cell: ({ biases }) => count(biases) },
  {
    title: "Multiply-adds",
    hint: "Of convolutions and matrix products",
    number: true,
    cell: ({ macs }) => count(macs),
  },
  {
    title: "Field",
    hint: "Receptive field: input pixels that one output pixel sees, a side",
    number: true,
    cell: ({ receptiveField }) => (receptiveField === null ? "-" : pairText(receptiveField)),
  },
];

/** The table that courses draw, at any depth of blocks. */
export const LayersTab: FunctionComponent<LayersTabProps> = ({ analysis, chosen, onPoint, onChoose }) => {
  const deepest = depthOf(analysis.rows);
  const [wanted, setWanted] = useState<number>();
  const [portions, setPortions] = useState(1);
  const depth = Math.min(wanted ?? usualDepth(analysis.rows), deepest);
  const rows = useMemo(() => rowsAt(analysis, depth), [analysis, depth]);
  const shown = useMemo(() => rows.slice(0, portions * portion), [rows, portions]);
  const { totals, input } = analysis;
  const key = (row: LayerRow, i: number): string => `${row.path} ${i}`;
  const at = shown.findIndex(({ path }) => path === chosen?.path || chosen?.path.startsWith(`${path}.`));
  return (
    <div class="stack">
      <div class="row spread">
        <div class="row">
          <Select
            label="Rows"
            value={`${depth}`}
            choices={Array.from({ length: deepest }, (_, i) => ({
              value: `${i + 1}`,
              label: i + 1 === deepest ? "All layers" : i === 0 ? "Outermost blocks" : `Blocks ${i + 1} deep`,
            }))}
            onChange={(text) => {
              setWanted(Number(text));
              setPortions(1);
            }}
          />
        </div>
        <Button
          onClick={() =>
            download(`${fileName(analysis.title)}.csv`, summaryCsv({ input, batch: 1, totals, rows }), "text/csv")
          }
        >
          <Download size={16} aria-hidden="true" />
          Download as CSV
        </Button>
      </div>
      <Table
        caption={`Layers of ${analysis.title}`}
        {...{ columns }}
        rows={shown}
        keyOf={key}
        chosen={at < 0 ? undefined : key(shown[at] as LayerRow, at)}
        onPoint={(row) => onPoint(row?.path)}
        onChoose={({ path }) => onChoose(path)}
        footer={
          <tr>
            <th scope="row">Total</th>
            <td />
            <td class="number">input {shapeText(input)}</td>
            <td class="number">{formatNumber(totals.storedValues)}</td>
            <td class="number">{formatNumber(totals.weights)}</td>
            <td class="number">{formatNumber(totals.biases)}</td>
            <td class="number">{formatNumber(totals.macs)}</td>
            <td />
          </tr>
        }
      />
      {shown.length < rows.length ? (
        <div class="row">
          <Button onClick={() => setPortions(portions + 1)}>
            Show {Math.min(portion, rows.length - shown.length)} more of {rows.length} rows
          </Button>
        </div>
      ) : null}
      <p class="quiet small">
        Memory counts values that a forward pass writes for one image; the total includes the image and comes to{" "}
        {formatBytes(totals.storedBytes)} at 4 bytes each. Element-wise layers, such as ReLU, write over their input.
        Field: the receptive field, how many pixels of the image one value of the layer sees.
      </p>
    </div>
  );
};
