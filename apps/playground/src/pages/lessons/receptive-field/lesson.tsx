import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatNumber, formatPercent } from "../../../format.js";
import { Panel, Slider, Spinner, Table } from "../../../ui/index.js";
import { Controls } from "../parts/controls.js";
import { short } from "../parts/format.js";
import { LessonBody } from "../parts/lesson-body.js";
import { useSession } from "../parts/use-session.js";
import type { Design, Frame } from "./experiment.js";
import { cornerShare, Influence, Maps } from "./maps.js";

const widths = [16, 32, 64, 128, 256, 512];
/** Of the drawn maps: the field of 7 and a margin. */
const side = 11;

export const Lesson: FunctionComponent = () => {
  const [width, setWidth] = useState(2);
  const channels = widths[width] as number;
  const session = useSession("receptive-field", { channels }, { auto: true, pace: 60 });
  const frame = session.frames.value.at(-1);
  return (
    <LessonBody
      setting={`A pixel of a feature map is computed from a square of the input: its receptive field. One 7×7 convolution has a field of 7×7 pixels. Stack three 3×3 convolutions instead, with as many channels in and out, and a ReLU (which cuts off what is negative) behind each.`}
      question="How large is the field of three 3×3 convolutions, and how many weights do they have?"
      expectations={[
        "A smaller field, fewer weights",
        "The same field, fewer weights",
        "The same field, as many weights",
        "A larger field, more weights",
      ]}
      experiment={
        <>
          <Fields frame={frame} />
          <Panel title="What it costs">
            <div class="lesson-settings">
              <Slider
                label="Channels in and out"
                value={width}
                min={0}
                max={widths.length - 1}
                shown={`${channels}`}
                onChange={setWidth}
              />
            </div>
            {frame === undefined ? <Spinner label="Counting" /> : <Costs designs={frame.designs} />}
          </Panel>
          <Panel title="How much each pixel of the field counts">
            <p>
              The middle output pixel of random networks, four channels wide, on noise: the size of its gradient by each
              input pixel. The stronger a pixel's colour, the more the output depends on it.
            </p>
            <div class="row">
              {frame?.designs.map(({ name }, i) => (
                <Influence key={name} name={name} values={frame.influence[i] ?? []} side={side} />
              ))}
            </div>
            <Controls session={session} progress={frame === undefined ? "" : `Mean of ${frame.networks} networks`} />
          </Panel>
        </>
      }
      seen={frame && <Seen frame={frame} channels={channels} />}
      why={
        <p>
          Each 3×3 layer adds one pixel on every side: 3, 5, 7. Its weights number 9 for each pair of channels, so three
          layers have 27 where one 7×7 layer has 49, and multiply-adds follow the weights. The stack also bends its
          function three times instead of once, and its middle layers may be anything. What it gives up is evenness:
          more paths lead from the centre of the field to the output than from its rim, so the rim counts for less.
        </p>
      }
      reading={[
        {
          citation:
            'K. Simonyan, A. Zisserman: "Very Deep Convolutional Networks for Large-Scale Image Recognition", ICLR 2015.',
          what: "Section 2.3 makes this comparison.",
        },
        {
          citation:
            'W. Luo, Y. Li, R. Urtasun, R. Zemel: "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks", NeurIPS 2016.',
          what: "Why the rim counts for less.",
        },
      ]}
    />
  );
};

const Fields: FunctionComponent<{ readonly frame: Frame | undefined }> = ({ frame }) => {
  const [from, setFrom] = useState(1);
  const [stack, single] = frame?.designs ?? [];
  return (
    <Panel title="What a pixel sees">
      {stack === undefined || single === undefined ? (
        <Spinner label="Tracing" />
      ) : (
        <>
          <div class="lesson-settings">
            <Slider
              label="Look back from layer"
              value={from}
              min={1}
              max={stack.layers.length}
              shown={`${from} of ${stack.layers.length}`}
              onChange={setFrom}
            />
          </div>
          <h3>Three 3×3: one pixel behind layer {from}</h3>
          <Maps design={stack} from={from} side={side} />
          <h3>One 7×7</h3>
          <Maps design={single} from={1} side={side} />
        </>
      )}
    </Panel>
  );
};

const quantities: readonly { readonly name: string; readonly of: (design: Design) => number }[] = [
  { name: "Receptive field, pixels wide", of: ({ layers }) => layers.at(-1)?.field ?? 1 },
  { name: "Weights", of: ({ weights }) => weights },
  { name: "Biases", of: ({ biases }) => biases },
  { name: "Multiply-adds on a 56×56 map", of: ({ macs }) => macs },
  { name: "Non-linearities (ReLU)", of: ({ nonlinearities }) => nonlinearities },
];

const Costs: FunctionComponent<{ readonly designs: readonly Design[] }> = ({ designs }) => (
  <Table
    caption="What both designs cost"
    rows={quantities}
    keyOf={({ name }) => name}
    columns={[
      { title: "Counted on the real layers", cell: ({ name }) => name },
      ...designs.map((design) => ({
        title: design.name,
        number: true,
        cell: ({ of }: (typeof quantities)[number]) => formatNumber(of(design)),
      })),
    ]}
  />
);

const Seen: FunctionComponent<{ readonly frame: Frame; readonly channels: number }> = ({ frame, channels }) => {
  const [stack, single] = frame.designs as readonly [Design, Design];
  const [bell, flat] = frame.influence.map((values) => cornerShare(values, side)) as [number, number];
  return (
    <div class="lesson-seen">
      <p>
        Both see <strong>{stack.layers.at(-1)?.field} pixels</strong> across. With {channels} channels the stack has{" "}
        <strong>{formatNumber(stack.weights)}</strong> weights and the 7×7 layer{" "}
        <strong>{formatNumber(single.weights)}</strong>:{" "}
        <strong>{formatPercent(1 - stack.weights / single.weights, 0)}</strong> fewer. Multiply-adds are{" "}
        {short(stack.macs)} against {short(single.macs)}, non-linearities {stack.nonlinearities} against{" "}
        {single.nonlinearities}.
      </p>
      {frame.networks === 0 ? null : (
        <p>
          A corner of the field counts <strong>{formatPercent(bell, 0)}</strong> as much as the strongest pixel in the
          stack, and <strong>{formatPercent(flat, 0)}</strong> in the 7×7 layer, in the mean of {frame.networks} random
          networks.
        </p>
      )}
    </div>
  );
};
