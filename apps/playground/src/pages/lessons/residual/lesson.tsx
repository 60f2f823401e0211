import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatPercent } from "../../../format.js";
import { LineChart, Panel, Slider, Table } from "../../../ui/index.js";
import { Controls } from "../parts/controls.js";
import { figure } from "../parts/format.js";
import { LessonBody } from "../parts/lesson-body.js";
import { movingMean } from "../parts/statistics.js";
import { useSession } from "../parts/use-session.js";
import type { Frame, Side } from "./experiment.js";

/** Batches of 32 are noisy: what is drawn is the mean of so many. */
const window = 20;

export const Lesson: FunctionComponent = () => {
  const [depth, setDepth] = useState(20);
  const session = useSession("residual", { depth, lr: 0.1 });
  const frames = session.frames.value;
  const last = frames.at(-1);
  return (
    <LessonBody
      setting="A plain network is one layer after the other. A residual one has the same layers, but a shortcut carries the input of every two of them past and adds it to what they make. Both are trained here side by side on 2000 digits, from the same initial values, with batch-norm and the same batches. They have the same parameters."
      question="Give both more layers. Which one gets better on the images that it trains on?"
      expectations={[
        "Both: more layers can only help in training",
        "The plain one, since shortcuts skip layers",
        "The residual one; the plain one gets worse",
        "Neither",
      ]}
      experiment={
        <Panel title="Two networks in training">
          <div class="lesson-settings">
            <Slider
              label="Depth of both networks"
              hint="Layers with weights. Another depth begins anew."
              value={depth}
              min={4}
              max={44}
              step={4}
              shown={`${depth} layers`}
              onChange={setDepth}
            />
          </div>
          <Controls session={session} progress={last === undefined ? "" : `Step ${last.step} of ${last.steps}`} />
          <Curves frames={frames} depth={depth} />
        </Panel>
      }
      seen={last && <Seen frames={frames} depth={depth} />}
      why={
        <p>
          A plain network of 20 layers could copy one of 8 and let the other layers hand on what they get; but descent
          does not find these identities. On its way back through every layer, the gradient is multiplied by that
          layer's weights. In a plain network with batch-norm it grows a little in each, so that the deeper the network,
          the larger the first layers' gradient is beside the last ones': no learning rate suits both. A shortcut passes
          the gradient on as it is, plus what the two layers add: it grows far less from end to end, and a block that
          learns nothing is an identity by itself.
        </p>
      }
      reading={[
        {
          citation: 'K. He, X. Zhang, S. Ren, J. Sun: "Deep Residual Learning for Image Recognition", CVPR 2016.',
          what: "Figure 1: a plain network of 56 layers trains worse than one of 20.",
        },
        {
          citation: 'K. He, X. Zhang, S. Ren, J. Sun: "Identity Mappings in Deep Residual Networks", ECCV 2016.',
          what: "How the gradient passes through shortcuts.",
        },
        {
          citation: 'G. Yang et al.: "A Mean Field Theory of Batch Normalization", ICLR 2019.',
          what: "Why gradients grow in plain networks with batch-norm.",
        },
      ]}
    />
  );
};

const errorOf = (frames: readonly Frame[], side: "plain" | "residual"): number[] =>
  movingMean(
    frames.map((frame) => 100 * frame[side].error),
    window,
  );

const Curves: FunctionComponent<{ readonly frames: readonly Frame[]; readonly depth: number }> = ({
  frames,
  depth,
}) => {
  const x = frames.map(({ step }) => step);
  const gradients = frames.at(-1);
  const layers = Array.from({ length: depth - 1 }, (_, i) => i + 1);
  const pair = <T,>(of: (side: "plain" | "residual") => T): readonly [T, T] => [of("plain"), of("residual")];
  const [plain, residual] = pair((side) => errorOf(frames, side));
  return (
    <div class="lesson-columns">
      <div class="stack">
        <h3>Training error</h3>
        <LineChart
          label={`Training error in percent, mean of ${window} batches`}
          xLabel="step"
          yLabel="error, %"
          range={[0, 100]}
          series={[
            { name: "plain", x, y: plain },
            { name: "residual", x, y: residual },
          ]}
        />
      </div>
      <div class="stack">
        <h3>Size of the gradient, layer by layer</h3>
        <LineChart
          label="Norm of the gradient of each convolution's weights, first layer to last"
          xLabel="layer"
          yLabel="norm"
          logarithmic
          series={[
            { name: "plain", x: layers, y: gradients?.plain.gradients ?? [] },
            { name: "residual", x: layers, y: gradients?.residual.gradients ?? [] },
          ]}
        />
      </div>
    </div>
  );
};

const Seen: FunctionComponent<{ readonly frames: readonly Frame[]; readonly depth: number }> = ({ frames, depth }) => {
  const [first, last] = [frames[0] as Frame, frames.at(-1) as Frame];
  const rows = (["plain", "residual"] as const).map((name) => ({
    name,
    error: (errorOf(frames, name).at(-1) as number) / 100,
    loss: last[name].loss,
    early: spread(first[name]),
    now: spread(last[name]),
  }));
  return (
    <div class="lesson-seen">
      <Table
        caption="Both networks in numbers"
        rows={rows}
        keyOf={({ name }) => name}
        columns={[
          { title: `${depth} layers, after ${last.step} steps`, cell: ({ name }) => name },
          { title: "Training error", number: true, cell: ({ error }) => formatPercent(error) },
          { title: "Loss of the batch", number: true, cell: ({ loss }) => figure(loss) },
          {
            title: "First / last gradient, step 1",
            number: true,
            cell: ({ early }) => figure(early),
          },
          { title: "Now", number: true, cell: ({ now }) => figure(now) },
        ]}
      />
      <p class="quiet">
        The training error is the mean of the last {Math.min(window, frames.length)} batches. A gradient that is as
        large in the first layer as in the last has the ratio 1.
      </p>
    </div>
  );
};

const spread = ({ gradients }: Side): number => (gradients[0] as number) / (gradients.at(-1) as number);
