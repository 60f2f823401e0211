import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatPercent } from "../../../format.js";
import { LineChart, Panel, Select, Slider, Table } from "../../../ui/index.js";
import { Controls } from "../parts/controls.js";
import { figure } from "../parts/format.js";
import { LessonBody } from "../parts/lesson-body.js";
import { useSession } from "../parts/use-session.js";
import { EnsemblePicture } from "./ensemble-picture.js";
import type { Frame, Score, Side } from "./experiment.js";
import type { Method } from "./network.js";

const methods: readonly { readonly value: Method; readonly label: string }[] = [
  { value: "dropout", label: "Dropout: units of two hidden layers" },
  { value: "stochastic depth", label: "Stochastic depth: whole residual blocks" },
];

export const Lesson: FunctionComponent = () => {
  const [method, setMethod] = useState<Method>("dropout");
  const [rate, setRate] = useState(0.5);
  const session = useSession("dropout", { method, rate });
  const frames = session.frames.value;
  const last = frames.at(-1);
  return (
    <LessonBody
      setting="With 100 training images a network soon knows them by heart. Dropout sets each hidden unit to zero with some probability, anew for every image and step; stochastic depth does so with whole residual blocks, so that a step trains a shallower network. In evaluation nothing is left out. Two networks are trained from the same initial values, one with and one without, and judged on 200 other images."
      question="What does leaving out half of the units do to the loss on training and on test images?"
      expectations={[
        "Both are lower",
        "Higher on training, lower on test images",
        "Both are higher",
        "Lower on training, higher on test images",
      ]}
      experiment={
        <>
          <Panel title="With and without">
            <div class="lesson-settings">
              <Select label="What is left out" value={method} choices={methods} onChange={setMethod} />
              <Slider
                label={
                  method === "dropout"
                    ? "Probability that a unit is left out"
                    : "Probability that the last block is left out"
                }
                hint={method === "dropout" ? undefined : "Of earlier blocks less, in a straight line."}
                value={rate}
                min={0.1}
                max={0.9}
                step={0.1}
                shown={rate.toFixed(1)}
                onChange={setRate}
              />
            </div>
            <Controls session={session} progress={last === undefined ? "" : `Epoch ${last.epoch} of ${last.epochs}`} />
            <div class="lesson-columns">
              <Losses frames={frames} part="train" title="Loss on the training images" />
              <Losses frames={frames} part="test" title="Loss on the test images" />
            </div>
          </Panel>
          <Panel title="The ensemble inside">
            {last?.ensemble === undefined ? (
              <p class="quiet">When training has ended, networks drawn from the trained one appear here.</p>
            ) : (
              <EnsemblePicture ensemble={last.ensemble} method={method} />
            )}
          </Panel>
        </>
      }
      seen={last && <Seen frame={last} />}
      why={
        <p>
          A unit that cannot rely on any other one being there has to be of use by itself, so units do not learn to mend
          each other's mistakes on single images. Put otherwise: every step trains one network out of very many that
          share their weights, and the whole network, its outputs scaled by the probability of being kept, stands in for
          their average; the average of many networks is right on new images more often than one is. The effect on so
          few images is in the loss first: the network is less sure of what it gets wrong. What it costs is time, since
          each step teaches only a part.
        </p>
      }
      reading={[
        {
          citation:
            'N. Srivastava et al.: "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 2014.',
          what: "Section 7 compares the scaled network with the average of drawn ones.",
        },
        {
          citation: 'G. Huang et al.: "Deep Networks with Stochastic Depth", ECCV 2016.',
          what: "The rule by which survival falls with depth.",
        },
      ]}
    />
  );
};

interface LossesProps {
  readonly frames: readonly Frame[];
  readonly part: keyof Side;
  readonly title: string;
}

const Losses: FunctionComponent<LossesProps> = ({ frames, part, title }) => {
  const x = frames.map(({ epoch }) => epoch);
  return (
    <div class="stack">
      <h3>{title}</h3>
      <LineChart
        label={title}
        xLabel="epoch"
        yLabel="loss"
        series={[
          { name: "without", x, y: frames.map(({ without }) => without[part].loss) },
          { name: "with", x, y: frames.map((frame) => frame.with[part].loss) },
        ]}
      />
    </div>
  );
};

const Seen: FunctionComponent<{ readonly frame: Frame }> = ({ frame }) => {
  const rows = (["without", "with"] as const).map((name) => ({ name, ...frame[name] }));
  const cell = (of: (row: Side) => Score, what: keyof Score) => (row: (typeof rows)[number]) =>
    what === "loss" ? figure(of(row).loss) : formatPercent(of(row).accuracy);
  return (
    <div class="lesson-seen">
      <Table
        caption="Both networks in numbers"
        rows={rows}
        keyOf={({ name }) => name}
        columns={[
          { title: `Epoch ${frame.epoch}`, cell: ({ name }) => name },
          { title: "Training loss", number: true, cell: cell(({ train }) => train, "loss") },
          { title: "Test loss", number: true, cell: cell(({ test }) => test, "loss") },
          { title: "Gap", number: true, cell: ({ train, test }) => figure(test.loss - train.loss) },
          { title: "Training accuracy", number: true, cell: cell(({ train }) => train, "accuracy") },
          { title: "Test accuracy", number: true, cell: cell(({ test }) => test, "accuracy") },
        ]}
      />
      {frame.ensemble === undefined ? null : (
        <p>
          Of the test images, one drawn network names <strong>{formatPercent(frame.ensemble.one)}</strong> rightly in
          the mean, the average of {frame.ensemble.size} of them{" "}
          <strong>{formatPercent(frame.ensemble.averaged)}</strong>, and the whole network, which costs one pass instead
          of {frame.ensemble.size}, <strong>{formatPercent(frame.ensemble.whole)}</strong>.
        </p>
      )}
    </div>
  );
};
