import "./page.css";
import { formatBytes, formatCount } from "@ocelli/inspect";
import { Share2 } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useMemo, useState } from "preact/hooks";
import { formatNumber } from "../../format.js";
import { shareUrl } from "../../model/share.js";
import { ModelPicker } from "../../model-picker/model-picker.js";
import { currentModel } from "../../state.js";
import { Button, Figure, Figures, Notice, PageHeading, Panel, Spinner, Tabs } from "../../ui/index.js";
import type { Analysis } from "../../workers/analysis/api.js";
import { analysisLane, useAnswer } from "../../workers/analysis/client.js";
import { LazyCompare } from "./compare/lazy.js";
import { Details } from "./details.js";
import { GraphView } from "./graph/graph-view.js";
import { LayersTab } from "./layers-tab.js";
import { MemoryTab } from "./memory-tab.js";
import { boxOf, type Chosen, factsOf } from "./selection.js";

type Tab = "graph" | "layers" | "memory" | "compare";

const tabs = [
  { name: "graph", title: "Graph" },
  { name: "layers", title: "Layers" },
  { name: "memory", title: "Memory" },
  { name: "compare", title: "Compare" },
] as const;

export const Page: FunctionComponent = () => {
  const [tab, setTab] = useState<Tab>("graph");
  const spec = currentModel.value;
  const { value: analysis, error, pending } = useAnswer(analysisLane, JSON.stringify(spec), (api) => api.analyse(spec));
  return (
    <>
      <PageHeading title="Architectures">
        Pick a network, change it, and see what it consists of: every layer with its shapes, its cost, and what it sees
        of an image.
      </PageHeading>
      <div class="architectures">
        <Panel title="Network" aside={<ShareButton />}>
          <ModelPicker
            label="Model"
            value={spec}
            onChange={(next) => {
              currentModel.value = next;
            }}
          />
          {error === undefined ? null : (
            <Notice kind="error" title="This network cannot be shown">
              {error}
            </Notice>
          )}
          {analysis === undefined ? null : <Overview analysis={analysis} />}
        </Panel>
        <Tabs label="Views" {...{ tabs }} chosen={tab} onChoose={setTab}>
          {analysis === undefined ? (
            error === undefined ? (
              <Spinner label="Working out shapes" />
            ) : null
          ) : (
            <div class={pending ? "architectures-pending" : undefined} aria-busy={pending}>
              <View {...{ analysis, tab }} />
            </div>
          )}
        </Tabs>
      </div>
    </>
  );
};

const Overview: FunctionComponent<{ readonly analysis: Analysis }> = ({ analysis }) => {
  const { spec, title, citation, totals, rows, input, numClasses } = analysis;
  const layers = rows.filter(({ weights, macs }) => weights > 0 && macs > 0).length;
  return (
    <div class="stack" aria-live="polite">
      <div class="architectures-about">
        <h3>{title}</h3>
        {spec.kind === "zoo" ? <code class="quiet small">{spec.name}</code> : null}
        {citation === undefined ? null : <span class="quiet small">{citation}</span>}
      </div>
      <Figures>
        <Figure label="Image" value={input.join(" × ")} hint="Channels, height, width" />
        <Figure label="Classes" value={formatNumber(numClasses)} />
        <Figure label="Parameters" value={formatCount(totals.parameters)} hint={formatNumber(totals.parameters)} />
        <Figure label="File size, float32" value={formatBytes(totals.parameterBytes)} />
        <Figure
          label="Multiply-adds"
          value={formatCount(totals.macs)}
          hint={`${formatNumber(totals.macs)} for one image`}
        />
        <Figure label="Activations" value={formatBytes(totals.storedBytes)} hint="What one image writes, forwards" />
        <Figure label="Layers with weights" value={layers} hint="Convolutions and fully connected layers" />
      </Figures>
    </div>
  );
};

interface ViewProps {
  readonly analysis: Analysis;
  readonly tab: Tab;
}

/** One layer is chosen for graph and table together; pointing at another shows that one meanwhile. */
const View: FunctionComponent<ViewProps> = ({ analysis, tab }) => {
  const [pointed, setPointed] = useState<Chosen>();
  const [wanted, setChosen] = useState<Chosen>();
  const { boxes } = analysis;
  const exists = (one: Chosen | undefined): one is Chosen => one !== undefined && factsOf(analysis, one) !== undefined;
  const chosen = exists(wanted) ? wanted : firstChoice(analysis);
  const shown = exists(pointed) ? pointed : chosen;
  const ofBox = (box: number | undefined): Chosen | undefined =>
    box === undefined ? undefined : { path: boxes[box]?.path ?? "", box };
  const ofPath = (path: string | undefined): Chosen | undefined => (path === undefined ? undefined : { path });
  const boxIn = (one: Chosen | undefined): number | undefined => one && (one.box ?? boxOf(boxes, one.path));
  // Pointing at a row changes the details, not the table.
  const table = useMemo(
    () => (
      <LayersTab
        {...{ analysis, chosen }}
        onPoint={(path) => setPointed(ofPath(path))}
        onChoose={(path) => setChosen(ofPath(path))}
      />
    ),
    [analysis, chosen?.path],
  );
  if (tab === "memory") return <MemoryTab analysis={analysis} />;
  if (tab === "compare") return <LazyCompare current={analysis} />;
  return (
    <div class={`architectures-main ${tab === "graph" ? "" : "table-first"}`}>
      {tab === "graph" ? (
        <GraphView
          analysis={analysis}
          chosen={boxIn(chosen)}
          pointed={pointed === undefined ? undefined : boxIn(pointed)}
          onPoint={(box) => setPointed(ofBox(box))}
          onChoose={(box) => setChosen(ofBox(box))}
        />
      ) : (
        table
      )}
      {shown === undefined ? null : <Details {...{ analysis, shown }} />}
    </div>
  );
};

/** The first layer that slides over the image. */
const firstChoice = ({ rows }: Analysis): Chosen | undefined => {
  const row = rows.find(({ receptiveField, weights }) => receptiveField !== null && weights > 0) ?? rows[0];
  return row && { path: row.path };
};

const ShareButton: FunctionComponent = () => {
  const [said, setSaid] = useState("");
  const copy = (): void => {
    const url = shareUrl("/architectures", { model: currentModel.value });
    navigator.clipboard.writeText(url).then(
      () => setSaid("The link is copied."),
      () => setSaid(`The browser did not let the page copy. The link: ${url}`),
    );
  };
  return (
    <div class="row">
      <span class="quiet small" aria-live="polite">
        {said}
      </span>
      <Button onClick={copy}>
        <Share2 size={16} aria-hidden="true" />
        Copy a link
      </Button>
    </div>
  );
};
