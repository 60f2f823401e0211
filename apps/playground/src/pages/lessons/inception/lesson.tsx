import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatNumber, formatPercent } from "../../../format.js";
import { Figure, Figures, Notice, Panel, Slider, Spinner, Table } from "../../../ui/index.js";
import { short } from "../parts/format.js";
import { LessonBody } from "../parts/lesson-body.js";
import { useSession } from "../parts/use-session.js";
import type { Cost, Counts, Frame, Term } from "./experiment.js";

const names: Readonly<Record<string, string>> = {
  conv1x1: "1×1",
  reduce3x3: "1×1 in front of the 3×3",
  conv3x3: "3×3",
  reduce5x5: "1×1 in front of the 5×5",
  conv5x5: "5×5",
  poolProject: "1×1 behind the pooling",
};

const nameOf = (path: string): string => names[path] ?? path;

export const Lesson: FunctionComponent = () => {
  const [reductions, setReductions] = useState({ reduce3x3: 64, reduce5x5: 64, poolProject: 64 });
  const session = useSession("inception", reductions, { auto: true });
  const frame = session.frames.value.at(-1);
  const slider = (key: keyof typeof reductions) => (
    <Slider
      label={`Filters of the ${nameOf(key)}`}
      value={reductions[key]}
      min={16}
      max={256}
      step={16}
      onChange={(filters) => setReductions({ ...reductions, [key]: filters })}
    />
  );
  return (
    <LessonBody
      setting="An inception module looks at its input through 1×1, 3×3 and 5×5 convolutions and a 3×3 max pooling side by side, and joins what comes out. The course's module reads 256 channels of 28×28 pixels and has 128 filters of 1×1, 192 of 3×3 and 96 of 5×5. The reduced one puts 1×1 convolutions with few filters in front of the 3×3 and the 5×5, and behind the pooling."
      question="Three more convolutions, 64 filters each: what do they do to the multiply-adds?"
      expectations={["More of them", "About as many", "Half as many", "A third as many"]}
      experiment={
        <>
          <Panel title="The reductions">
            <div class="lesson-settings">
              {slider("reduce3x3")}
              {slider("reduce5x5")}
              {slider("poolProject")}
            </div>
            {session.phase.value === "failed" ? (
              <Notice kind="error" title="The modules could not be counted">
                {session.problem.value}. Reload the page.
              </Notice>
            ) : null}
            {frame === undefined ? <Spinner label="Counting" /> : <Modules {...frame} />}
          </Panel>
          {frame === undefined ? null : <Slide {...frame} />}
        </>
      }
      seen={frame && <Seen {...frame} />}
      why={
        <p>
          A convolution costs pixels × filters × kernel × <em>channels that it reads</em>. Nothing but the last factor
          can be made smaller without making the module see less, and a 1×1 convolution, the cheapest there is, does
          that: it mixes 256 channels into 64 before the expensive filters look at them. The pooling has no filters at
          all, so in the naive module its 256 channels pass through, and every module hands more channels to the next
          one. The projection behind it ends that.
        </p>
      }
      reading={[
        {
          citation: 'C. Szegedy et al.: "Going Deeper with Convolutions", CVPR 2015.',
          what: "Figure 2 has both modules, table 1 the numbers of filters in GoogLeNet.",
        },
        {
          citation: 'M. Lin, Q. Chen, S. Yan: "Network in Network", ICLR 2014.',
          what: "Where 1×1 convolutions come from.",
        },
        {
          citation: "Stanford CS231n, lecture on CNN architectures.",
          what: "The slide that makes this comparison.",
        },
      ]}
    />
  );
};

const Modules: FunctionComponent<Frame> = ({ naive, reduced }) => (
  <div class="lesson-columns">
    <Module title="Naive" cost={naive} />
    <Module title="Reduced" cost={reduced} />
  </div>
);

const Module: FunctionComponent<{ readonly title: string; readonly cost: Cost }> = ({ title, cost }) => (
  <section class="stack" aria-label={title}>
    <h3>{title}</h3>
    <Figures>
      <Figure label="Multiply-adds" value={short(cost.macs)} />
      <Figure label="Parameters" value={formatNumber(cost.parameters)} />
      <Figure label="Channels out" value={formatNumber(cost.channels)} />
    </Figures>
    <Table
      caption={`Convolutions of the ${title.toLowerCase()} module`}
      rows={cost.terms}
      keyOf={({ path }) => path}
      columns={[
        { title: "Convolution", cell: ({ path }: Term) => nameOf(path) },
        { title: "Filters", number: true, cell: ({ filters }: Term) => formatNumber(filters) },
        { title: "Multiply-adds", number: true, cell: ({ macs }: Term) => formatNumber(macs) },
      ]}
      footer={
        <tr>
          <th scope="row">Together</th>
          <td />
          <td class="number">{formatNumber(cost.macs)}</td>
        </tr>
      }
    />
  </section>
);

const Slide: FunctionComponent<Frame> = ({ slide, waysToTotal, printed }) => {
  const [way = []] = waysToTotal;
  const sum = way.reduce((total, { macs, times }) => total + macs * times, 0);
  return (
    <Panel title={`Why the course's slide says ${printed} M`}>
      <p>
        The slide lists the same six convolutions and prints "Total: {printed}M ops" below them. They add up to{" "}
        <strong class="figures">{formatNumber(slide.macs)}</strong>. So let each term be counted as often as one likes,
        at least once, and search for all sums that round to {printed} M. There{" "}
        {waysToTotal.length === 1 ? "is exactly one" : `are ${waysToTotal.length}`}:
      </p>
      <Table
        caption={`The sum that gives ${printed} M`}
        rows={way}
        keyOf={({ paths }) => paths.join()}
        columns={[
          { title: "Convolutions", cell: ({ paths }: Counts[number]) => paths.map(nameOf).join(", ") },
          { title: "Multiply-adds each", number: true, cell: ({ macs }: Counts[number]) => formatNumber(macs) },
          { title: "There are", number: true, cell: ({ paths }: Counts[number]) => paths.length },
          {
            title: "Counted",
            number: true,
            cell: ({ paths, times }: Counts[number]) => (times > paths.length ? <strong>{times}</strong> : times),
          },
          { title: "Sum", number: true, cell: ({ macs, times }: Counts[number]) => formatNumber(macs * times) },
        ]}
        footer={
          <tr>
            <th scope="row">Together</th>
            <td colSpan={3} />
            <td class="number">{formatNumber(sum)}</td>
          </tr>
        }
      />
      {way
        .filter(({ paths, times }) => times > paths.length)
        .map(({ paths, macs }) => (
          <p key={paths.join()}>
            The {paths.map(nameOf).join(", ")} branch with its {short(macs)} was added twice. Its own rows give{" "}
            {short(slide.macs)}.
          </p>
        ))}
    </Panel>
  );
};

const Seen: FunctionComponent<Frame> = ({ naive, reduced, slide, printed }) => (
  <div class="lesson-seen">
    <p>
      The naive module costs <strong>{formatNumber(naive.macs)}</strong> multiply-adds, the reduced one{" "}
      <strong>{formatNumber(reduced.macs)}</strong>: <strong>{formatPercent(reduced.macs / naive.macs, 0)}</strong> of
      it. From 256 channels the naive one makes {naive.channels}, the reduced one {reduced.channels}.
    </p>
    <p>
      With 64 filters in each reduction, as on the slide, it is {short(naive.macs)} to {short(slide.macs)}, not{" "}
      {printed} M.
    </p>
  </div>
);
