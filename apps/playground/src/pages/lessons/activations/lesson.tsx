import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatPercent } from "../../../format.js";
import { LineChart, Panel, Select, type Series, Table } from "../../../ui/index.js";
import { Controls } from "../parts/controls.js";
import { figure } from "../parts/format.js";
import { LessonBody } from "../parts/lesson-body.js";
import { useSession } from "../parts/use-session.js";
import type { Frame, LayerState } from "./experiment.js";
import { HistogramPicture } from "./histogram-picture.js";
import type { NetworkOptions } from "./network.js";

const choices = {
  init: [
    { value: "small", label: "Small: normal, deviation 0.01" },
    { value: "large", label: "Large: normal, deviation 0.3" },
    { value: "xavier", label: "Xavier: variance 2 / (in + out)" },
    { value: "he", label: "He: variance 2 / in" },
  ],
  norm: [
    { value: "none", label: "None" },
    { value: "batch-norm", label: "Batch-norm" },
    { value: "lrn", label: "Local response normalisation" },
  ],
  activation: [
    { value: "relu", label: "ReLU" },
    { value: "tanh", label: "tanh" },
  ],
} as const;

export const Lesson: FunctionComponent = () => {
  const [options, setOptions] = useState<NetworkOptions>({ init: "small", norm: "none", activation: "relu" });
  const session = useSession("activations", options);
  const frames = session.frames.value;
  const last = frames.at(-1);
  return (
    <LessonBody
      setting="Ten 3×3 convolutions with 16 channels, one after the other, look at 32 digits. What each layer hands on (its activations) and the gradient of the loss by it are measured at the start and after every five training steps. You choose how the weights begin, what normalises each layer, and its non-linearity."
      question="Weights begin at random with a deviation of 0.01. What is left of the digits in the tenth layer?"
      expectations={[
        "About what there was in the first",
        "A tenth of it",
        "Nothing that could be told from zero",
        "It has grown",
      ]}
      experiment={
        <>
          <Panel title="A deep network at work">
            <div class="lesson-settings">
              <Select
                label="Initial weights"
                value={options.init}
                choices={choices.init}
                onChange={(init) => setOptions({ ...options, init })}
              />
              <Select
                label="Normalisation"
                value={options.norm}
                choices={choices.norm}
                onChange={(norm) => setOptions({ ...options, norm })}
              />
              <Select
                label="Non-linearity"
                value={options.activation}
                choices={choices.activation}
                onChange={(activation) => setOptions({ ...options, activation })}
              />
            </div>
            <Controls
              session={session}
              progress={last === undefined ? "" : `Step ${last.step} of ${last.steps}, loss ${figure(last.loss)}`}
            />
            <Spreads layers={last?.layers ?? []} />
          </Panel>
          <Panel title="Layer by layer">
            {last === undefined ? (
              <p class="quiet">Start, or take one step, to see the layers as they begin.</p>
            ) : (
              <Layers layers={last.layers} />
            )}
          </Panel>
        </>
      }
      seen={last && <Seen frame={last} first={frames[0] as Frame} />}
      why={
        <>
          <p>
            A layer adds up many products, so the variance of what it makes is that of its input times the number of
            inputs times the variance of its weights. If that factor is not 1, ten layers raise it to the tenth power:
            activations vanish or explode, and the gradient, which goes the same way back, with them. Xavier's variance
            makes the factor 1 for layers that are nearly linear around 0, such as tanh; a ReLU throws half of the
            signal away, so He's is twice that. Too large weights drive tanh to its flat ends, where no gradient passes.
          </p>
          <p>
            Batch-norm sets mean and spread of every channel anew in each layer, so the initial scale hardly matters.
            Local response normalisation divides by what neighbouring channels do; where activations are small, that is
            by the constant 2 to the power of 0.75, about 1.68, in every layer: it curbs large responses and cures no
            bad start.
          </p>
        </>
      }
      reading={[
        {
          citation:
            'X. Glorot, Y. Bengio: "Understanding the Difficulty of Training Deep Feedforward Neural Networks", AISTATS 2010.',
          what: "Xavier initialisation, with such histograms.",
        },
        {
          citation: 'K. He, X. Zhang, S. Ren, J. Sun: "Delving Deep into Rectifiers", ICCV 2015.',
          what: "The variance for ReLU.",
        },
        {
          citation: 'S. Ioffe, C. Szegedy: "Batch Normalization", ICML 2015.',
          what: "Normalising by the batch.",
        },
        {
          citation:
            'A. Krizhevsky, I. Sutskever, G. Hinton: "ImageNet Classification with Deep Convolutional Neural Networks", NIPS 2012.',
          what: "Section 3.3: local response normalisation.",
        },
      ]}
    />
  );
};

/** On a logarithmic axis there is no 0: what is dead has no point. */
const positive = (n: number): number | null => (n > 0 ? n : null);

const Spreads: FunctionComponent<{ readonly layers: readonly LayerState[] }> = ({ layers }) => {
  const x = layers.map((_, i) => i + 1);
  return (
    <div class="lesson-columns">
      <Spread
        title="Spread of the activations"
        label="Standard deviation of each layer's activations"
        series={{ name: "activations", x, y: layers.map(({ std }) => positive(std)) }}
      />
      <Spread
        title="Spread of their gradients"
        label="Standard deviation of the gradient of the loss by each layer's activations"
        series={{ name: "gradients", x, y: layers.map(({ gradientStd }) => positive(gradientStd)) }}
      />
    </div>
  );
};

interface SpreadProps {
  readonly title: string;
  readonly label: string;
  readonly series: Series;
}

const Spread: FunctionComponent<SpreadProps> = ({ title, label, series }) => (
  <div class="stack">
    <h3>{title}</h3>
    <LineChart label={label} xLabel="layer" yLabel="deviation" logarithmic series={[series]} />
  </div>
);

const Layers: FunctionComponent<{ readonly layers: readonly LayerState[] }> = ({ layers }) => (
  <>
    <Histograms
      title="Activations"
      histograms={layers.map(({ activations }) => activations)}
      name={(i) => `Layer ${i + 1}, deviation ${figure(layers[i]?.std)}`}
      ends={({ low, high }) => [`${low}`, `${high}`]}
    />
    <Histograms
      title="Gradients by size, on a logarithmic axis"
      histograms={layers.map(({ gradients }) => gradients)}
      name={(i) => `Layer ${i + 1}, deviation ${figure(layers[i]?.gradientStd)}`}
      ends={({ low, high }) => [figure(10 ** low), `${10 ** high}`]}
    />
  </>
);

interface HistogramsProps {
  readonly title: string;
  readonly histograms: readonly LayerState["activations"][];
  readonly name: (i: number) => string;
  readonly ends: (histogram: LayerState["activations"]) => readonly [string, string];
}

const Histograms: FunctionComponent<HistogramsProps> = ({ title, histograms, name, ends }) => (
  <section class="stack" aria-label={title}>
    <h3>{title}</h3>
    <div class="activation-histograms">
      {histograms.map((histogram, i) => (
        <HistogramPicture key={`${i}`} histogram={histogram} name={name(i)} ends={ends(histogram)} />
      ))}
    </div>
  </section>
);

const Seen: FunctionComponent<{ readonly frame: Frame; readonly first: Frame }> = ({ frame, first }) => {
  const layers = frame.layers.map((layer, i) => ({ layer, name: `Layer ${i + 1}` }));
  const [begin, end] = [frame.layers[0] as LayerState, frame.layers.at(-1) as LayerState];
  return (
    <div class="lesson-seen">
      <p>
        From the first layer to the tenth, the activations' spread becomes{" "}
        <strong>{figure(end.std / begin.std)}</strong> times as large; from the tenth back to the first, the gradients'{" "}
        <strong>{figure(begin.gradientStd / end.gradientStd)}</strong> times.{" "}
        {frame.step === 0
          ? `The loss is ${figure(frame.loss)} before the first step.`
          : `The loss was ${figure(first.loss)} at the start and is ${figure(frame.loss)} after ${frame.step} steps.`}
      </p>
      <Table
        caption="Layers in numbers"
        rows={layers}
        keyOf={({ name }) => name}
        columns={[
          { title: "Layer", cell: ({ name }) => name },
          { title: "Mean", number: true, cell: ({ layer }) => figure(layer.mean) },
          { title: "Deviation", number: true, cell: ({ layer }) => figure(layer.std) },
          {
            title: "At rest",
            hint: "Of ReLU exactly 0, of tanh beyond 0.97",
            number: true,
            cell: ({ layer }) => formatPercent(layer.saturated, 0),
          },
          { title: "Deviation of the gradient", number: true, cell: ({ layer }) => figure(layer.gradientStd) },
        ]}
      />
      <p class="quiet">
        "At rest" are values where hardly any gradient passes: of a ReLU those that are 0, of tanh those beyond 0.97.
      </p>
    </div>
  );
};
