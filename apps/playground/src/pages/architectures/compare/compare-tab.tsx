import "./compare-tab.css";
import { type Compared, formatBytes, formatCount } from "@ocelli/inspect";
import { bubbles, familyColours, layerBars } from "@ocelli/inspect/plot";
import { modelEntry, modelNames } from "@ocelli/zoo";
import { X } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useMemo, useState } from "preact/hooks";
import { titleOf } from "../../../model/display-name.js";
import type { ModelSpec } from "../../../model/spec.js";
import { ModelCombobox } from "../../../model-picker/combobox.js";
import { currentModel } from "../../../state.js";
import { isDark } from "../../../theme.js";
import { Button, type Column, IconButton, Notice, Panel, Progress, Select, Table } from "../../../ui/index.js";
import type { Analysis } from "../../../workers/analysis/api.js";
import { Chart } from "./chart.js";
import { foreground, type Paper, papersOf } from "./papers.js";
import { type ComparedSpec, useComparison } from "./use-comparison.js";

const datasets = { imagenet: "ImageNet", cifar10: "CIFAR-10", cifar100: "CIFAR-100", mnist: "MNIST" } as const;
type Dataset = keyof typeof datasets;

/** More would be a wall of bars. */
const barLimit = 6;

/** The models whose error on a data set was published, by their papers or with their weights. */
const modelsOn = (dataset: Dataset): ModelSpec[] =>
  modelNames
    .filter((name) => {
      const { published = [], weights = [] } = modelEntry(name);
      return [...published, ...weights.map((one) => one.published)].some(
        (figure) => figure.dataset === dataset && figure.top1 !== undefined,
      );
    })
    .map((name) => ({ kind: "zoo", name }));

const same = (a: ModelSpec, b: ModelSpec): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Networks side by side: accuracy over operations, layer by layer, and as a table. */
export const CompareTab: FunctionComponent<{ readonly current: Analysis }> = ({ current }) => {
  const [dataset, setDataset] = useState<Dataset>("imagenet");
  const [specs, setSpecs] = useState<readonly ModelSpec[]>(() => modelsOn("imagenet"));
  const [pointed, setPointed] = useState<string>();
  const { models, share, problems } = useComparison(specs, dataset);
  const add = (spec: ModelSpec): void =>
    setSpecs((before) => (before.some((one) => same(one, spec)) ? before : [...before, spec]));
  const open = (spec: ModelSpec | undefined): void => {
    if (spec !== undefined) currentModel.value = spec;
  };
  return (
    <div class="stack">
      <div class="compare-bar">
        <ModelCombobox
          label="Add a network"
          shown=""
          hint="Type a name, an author, a year"
          onChoose={({ spec }) => add(spec)}
        />
        <Select
          label="Errors published on"
          value={dataset}
          choices={Object.entries(datasets).map(([value, label]) => ({ value: value as Dataset, label }))}
          onChange={setDataset}
        />
        <div class="row">
          <Button onClick={() => add(current.spec)}>Add {current.title}</Button>
          <Button onClick={() => setSpecs(modelsOn(dataset))}>All of {datasets[dataset]}</Button>
          <Button onClick={() => setSpecs([])}>Clear</Button>
        </div>
      </div>
      <Chosen {...{ specs }} onRemove={(spec) => setSpecs(specs.filter((one) => one !== spec))} />
      {share < 1 ? (
        <Progress label="Counting" share={share} detail={`${models.length} of ${specs.length} networks`} />
      ) : null}
      {problems.map((problem) => (
        <Notice key={problem} kind="error">
          {problem}
        </Notice>
      ))}
      {specs.length === 0 ? <p class="quiet">Add networks to compare them.</p> : null}
      <Bubbles {...{ models, dataset, pointed, setPointed, open }} />
      <Bars {...{ models, dataset }} count={specs.length} />
      {models.length === 0 ? null : <ComparedTable {...{ models, setPointed, open }} />}
    </div>
  );
};

interface ChosenProps {
  readonly specs: readonly ModelSpec[];
  readonly onRemove: (spec: ModelSpec) => void;
}

/** Many are removed by the button that clears, and not one by one. */
const Chosen: FunctionComponent<ChosenProps> = ({ specs, onRemove }) =>
  specs.length > 12 ? (
    <p class="quiet small">{specs.length} networks. Clear them to choose your own.</p>
  ) : (
    <ul class="compare-models" aria-label="Compared">
      {specs.map((spec) => {
        const name = titleOf(spec);
        return (
          <li key={JSON.stringify(spec)}>
            {name}
            <IconButton label={`Remove ${name}`} onClick={() => onRemove(spec)}>
              <X size={14} aria-hidden="true" />
            </IconButton>
          </li>
        );
      })}
    </ul>
  );

interface ComparedProps {
  readonly models: readonly ComparedSpec[];
  readonly dataset: Dataset;
  readonly pointed: string | undefined;
  readonly setPointed: (name: string | undefined) => void;
  readonly open: (spec: ModelSpec | undefined) => void;
}

const Bubbles: FunctionComponent<ComparedProps> = ({ models, dataset, pointed, open }) => {
  const [chosen, setChosen] = useState<string>();
  const shown = models.filter(({ compared }) => compared.error?.top1 !== undefined && compared.macs > 0);
  const comparison = { dataset, models: shown.map(({ compared }) => compared) };
  const papers = papersOf(comparison.models);
  const front = papers.find(({ citation }) => citation === chosen);
  const drawn = JSON.stringify([dataset, front?.citation, shown.map(({ spec }) => spec)]);
  // For the order of the bubbles, which depends on their sizes alone.
  const names = useMemo(() => (shown.length === 0 ? [] : bubbles(comparison).names), [drawn]);
  if (shown.length === 0) return null;
  const specOf = (place: number): ModelSpec | undefined =>
    shown.find(({ compared }) => compared.name === names[place])?.spec;
  const place = pointed === undefined ? -1 : names.indexOf(pointed);
  return (
    <Panel title={`Accuracy, operations and parameters: ${datasets[dataset]}`}>
      <Chart
        label={`${shown.length} networks by published top-1 accuracy and multiply-adds; the table below has the numbers.`}
        drawn={drawn}
        draw={(look, dark) =>
          foreground(bubbles(comparison, { ...look, family: familyColours(dark) }), { papers, front })
        }
        pointed={place < 0 ? undefined : place}
        onChoose={(at) => open(specOf(at))}
      />
      {papers.length < 2 ? null : <Papers {...{ papers, front }} onChoose={setChosen} />}
      <p class="quiet small">
        A bubble's area is the number of parameters. Errors as published, each image seen once; dashed: only means over
        many views are published, which are one or two points better. Click a bubble to open its network. After
        Canziani, Paszke and Culurciello 2016.
      </p>
    </Panel>
  );
};

interface PapersProps {
  readonly papers: readonly Paper[];
  readonly front: Paper | undefined;
  readonly onChoose: (citation: string | undefined) => void;
}

/** The chart's legend. There are more papers than colours that one can tell apart: a press shows which bubbles are meant. */
const Papers: FunctionComponent<PapersProps> = ({ papers, front, onChoose }) => {
  const colour = familyColours(isDark());
  return (
    <ul class="compare-papers" aria-label="Papers: press one to see its networks alone">
      {papers.map((paper, i) => (
        <li key={paper.citation}>
          <button
            type="button"
            aria-pressed={paper === front}
            title={paper.citation}
            onClick={() => onChoose(paper === front ? undefined : paper.citation)}
          >
            <span style={{ background: colour(i) }} />
            {paper.title}
          </button>
        </li>
      ))}
    </ul>
  );
};

interface BarsProps {
  readonly models: readonly ComparedSpec[];
  readonly dataset: Dataset;
  readonly count: number;
}

const Bars: FunctionComponent<BarsProps> = ({ models, dataset, count }) => {
  if (count === 0) return null;
  if (count > barLimit)
    return <p class="quiet small">For up to {barLimit} networks, parameters and memory are drawn layer by layer.</p>;
  const comparison = { dataset, models: models.map(({ compared }) => compared) };
  return models.length === 0 ? null : (
    <Panel title="Layer by layer">
      <Chart
        label={`Parameters and memory of ${models.map(({ compared }) => compared.name).join(", ")} by layer.`}
        drawn={JSON.stringify(models.map(({ spec }) => spec))}
        draw={(look, dark) => layerBars(comparison, { ...look, family: familyColours(dark) })}
      />
    </Panel>
  );
};

const percent = (error: number | undefined): string => (error === undefined ? "-" : `${error.toFixed(2)} %`);

const column = (title: string, cell: (model: Compared) => string, hint?: string): Column<ComparedSpec> => ({
  title,
  number: true,
  hint,
  cell: ({ compared }) => cell(compared),
});

const columns: readonly Column<ComparedSpec>[] = [
  { title: "Network", cell: ({ compared }) => compared.name },
  column("Image", ({ input }) => input.join(" × ")),
  column("Parameters", ({ parameters }) => formatCount(parameters)),
  column("Multiply-adds", ({ macs }) => formatCount(macs), "For one image"),
  column("Activations", ({ activationBytes }) => formatBytes(activationBytes), "What one image writes"),
  column("Peak memory", ({ memoryBytes }) => formatBytes(memoryBytes), "In use, parameters included"),
  column("Top-1 error", ({ error }) => percent(error?.top1)),
  column("Top-5 error", ({ error }) => percent(error?.top5)),
  { title: "Measured", cell: ({ compared }) => compared.error?.protocol ?? "" },
  { title: "Source", cell: ({ compared }) => compared.error?.source ?? "" },
];

const ComparedTable: FunctionComponent<Omit<ComparedProps, "pointed" | "dataset">> = ({ models, setPointed, open }) => (
  <Table
    caption="Networks compared. The first column opens one."
    {...{ columns }}
    rows={models}
    keyOf={({ spec }) => JSON.stringify(spec)}
    onPoint={(row) => setPointed(row?.compared.name)}
    onChoose={({ spec }) => open(spec)}
  />
);
