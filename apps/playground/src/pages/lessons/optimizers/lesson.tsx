import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { LineChart, Panel, Select, Slider, Table } from "../../../ui/index.js";
import { Controls } from "../parts/controls.js";
import { figure } from "../parts/format.js";
import { LessonBody } from "../parts/lesson-body.js";
import { useSession } from "../parts/use-session.js";
import type { Frame } from "./experiment.js";
import { RaceMap } from "./race-map.js";
import { networkRates, type Racer, racers, rateOf } from "./racers.js";
import { surfaces } from "./surfaces.js";

const network = "network";
/** Lower losses are drawn here: on a logarithmic axis there is no 0. */
const floor = 1e-9;

export const Lesson: FunctionComponent = () => {
  const [on, setOn] = useState<string>("ravine");
  const [power, setPower] = useState(0);
  const factor = 2 ** power;
  const session = useSession("optimizers", { on, factor }, { pace: 25 });
  const frames = session.frames.value;
  const last = frames.at(-1);
  const surface = surfaces.find(({ name }) => name === on);
  const rates = surface?.rates ?? networkRates;
  return (
    <LessonBody
      setting="An optimizer turns gradients into steps. SGD steps down the gradient; momentum and Nesterov's form of it keep rolling; AdaGrad, RMSprop and Adam divide each parameter's gradient by the size that it had so far. All six start at one place and follow the same loss: first one of two parameters, that can be drawn, then that of a small network."
      question="In a ravine, 50 times steeper across than along: who is at the bottom first, after 300 steps?"
      expectations={["SGD", "Momentum", "AdaGrad", "RMSprop or Adam", "All at about the same time"]}
      experiment={
        <Panel title="The race">
          <div class="lesson-settings">
            <Select
              label="Loss"
              hint={
                surface?.about ?? "Cross-entropy of a network with 32 hidden units on 500 digits, in batches of 50."
              }
              value={on}
              choices={[
                ...surfaces.map(({ name, title }) => ({ value: name as string, label: title })),
                { value: network, label: "A small network" },
              ]}
              onChange={setOn}
            />
            <Slider
              label="Learning rates"
              hint="A factor on the rates of all six; the table below has the rates."
              value={power}
              min={-4}
              max={4}
              shown={factor >= 1 ? `x ${factor}` : `x 1/${1 / factor}`}
              onChange={setPower}
            />
          </div>
          <Controls session={session} progress={last === undefined ? "" : `Step ${last.step} of ${last.steps}`} />
          <div class="lesson-columns">
            {surface === undefined ? null : <RaceMap surface={surface} frames={frames} />}
            <Losses frames={frames} />
          </div>
        </Panel>
      }
      seen={last && <Seen frame={last} rateOf={(racer) => rateOf(racer, rates, factor)} />}
      why={
        <>
          <p>
            One learning rate has to do for all directions. Across the ravine it must stay below 2 divided by the
            curvature, or each step lands higher on the other side; along it, that rate is tiny. Momentum adds up what
            the gradients agree on and lets cancel what they do not. Dividing by the past size of the gradient gives
            each parameter a rate of its own; AdaGrad's sum of squares only grows, so that its steps become ever
            shorter, where RMSprop and Adam forget. None wins everywhere: on the saddle the adaptive rules leave first,
            among the waves it is luck where momentum comes to rest, and with the rate of another problem each of them
            fails.
          </p>
          <p>
            On surfaces these are the updates of @ocelli/training in float64, a network with two parameters; the small
            network is trained on the device that the playground found.
          </p>
        </>
      }
      reading={[
        {
          citation: 'D. Kingma, J. Ba: "Adam: A Method for Stochastic Optimization", ICLR 2015.',
          what: "Momentum and RMSprop in one rule.",
        },
        {
          citation:
            'I. Sutskever, J. Martens, G. Dahl, G. Hinton: "On the Importance of Initialization and Momentum in Deep Learning", ICML 2013.',
          what: "Why momentum helps in ravines, and Nesterov's form.",
        },
        {
          citation:
            'J. Duchi, E. Hazan, Y. Singer: "Adaptive Subgradient Methods for Online Learning and Stochastic Optimization", JMLR 2011.',
          what: "AdaGrad.",
        },
      ]}
    />
  );
};

const Losses: FunctionComponent<{ readonly frames: readonly Frame[] }> = ({ frames }) => {
  const x = frames.map(({ step }) => step);
  const lossAt = (frame: Frame, i: number): number | null => {
    const loss = frame.losses[i] ?? null;
    return loss === null ? null : Math.max(floor, loss);
  };
  return (
    <div class="stack">
      <h3>Loss</h3>
      <LineChart
        label="Loss of each optimizer, on a logarithmic axis"
        xLabel="step"
        yLabel="loss"
        height={320}
        logarithmic
        series={racers.map(({ title }, i) => ({ name: title, x, y: frames.map((frame) => lossAt(frame, i)) }))}
      />
    </div>
  );
};

interface SeenProps {
  readonly frame: Frame;
  readonly rateOf: (racer: Racer) => number;
}

const Seen: FunctionComponent<SeenProps> = ({ frame, rateOf }) => {
  const rows = racers.map((racer, i) => ({
    racer,
    loss: frame.losses[i] ?? null,
    position: frame.positions?.[i],
  }));
  const standing = [...rows]
    .filter(({ loss }) => loss !== null)
    .sort((a, b) => (a.loss as number) - (b.loss as number));
  const lost = rows.filter(({ loss }) => loss === null);
  return (
    <div class="lesson-seen">
      <p>
        After {frame.step} steps <strong>{standing[0]?.racer.title ?? "nobody"}</strong> is lowest
        {standing.length > 1 ? `, ${standing.at(-1)?.racer.title} highest` : ""}.
        {lost.length > 0
          ? ` The steps of ${lost.map(({ racer }) => racer.title).join(" and ")} grew until the loss was no number any more.`
          : ""}
      </p>
      <Table
        caption="Where the optimizers are"
        rows={rows}
        keyOf={({ racer }) => racer.title}
        columns={[
          { title: "Optimizer", cell: ({ racer }) => racer.title },
          { title: "Learning rate", number: true, cell: ({ racer }) => figure(rateOf(racer)) },
          { title: "Loss", number: true, cell: ({ loss }) => (loss === null ? "not a number" : figure(loss)) },
          ...(frame.positions === undefined
            ? []
            : [
                {
                  title: "Position",
                  number: true,
                  cell: ({ position }: (typeof rows)[number]) => position?.map(figure).join(", "),
                },
              ]),
        ]}
      />
    </div>
  );
};
