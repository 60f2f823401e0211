import type { FunctionComponent } from "preact";
import { formatDuration, formatNumber, formatPercent, formatRate } from "../../../format.js";
import { Figure, Figures, Notice, Panel, Progress } from "../../../ui/index.js";
import { describeTraining, originText } from "../describe.js";
import { live, preparing, type RunOutline } from "../session/run.js";
import { adapterText } from "./adapter.js";
import { Controls } from "./controls.js";
import { RateSlider } from "./rate-slider.js";
import { Saved } from "./saved.js";

/** How far it is, how fast, and what one can do to it. */
export const RunPanel: FunctionComponent<{ readonly run: RunOutline }> = ({ run }) => (
  <Panel title={run.title} aside={<Controls run={run} />}>
    <p class="small quiet">
      {describeTraining(run.training)}
      {run.origin === undefined ? "" : ` Begun with ${originText(run.origin)}`}
    </p>
    <Standing run={run} />
    <Numbers />
    {["running", "pausing", "paused"].includes(run.state) ? <RateSlider factor={run.rateFactor} /> : null}
    {run.storage.problem === undefined ? null : (
      <Notice kind="warning" title="This training is not kept">
        {run.storage.problem.message} It goes on as long as this page is open.
      </Notice>
    )}
    <div class="row spread small quiet">
      <span>{adapterText(run.device)}</span>
      <Saved storage={run.storage} state={run.state} />
    </div>
  </Panel>
);

const words: Readonly<Record<RunOutline["state"], string>> = {
  preparing: "Getting ready",
  running: "Training",
  pausing: "Pausing",
  paused: "Paused",
  done: "Done",
  stopped: "Stopped",
  failed: "Interrupted",
};

const Standing: FunctionComponent<{ readonly run: RunOutline }> = ({ run: { state, steps, training } }) => {
  const now = live.value;
  const step = now?.step ?? 0;
  const epoch = Math.min(training.epochs, Math.floor(now?.epoch ?? 0) + 1);
  const where =
    state === "preparing" ? (preparing.value ?? "compiling the step") : `epoch ${epoch} of ${training.epochs}`;
  const left = now?.secondsLeft ?? null;
  return (
    <Progress
      label={`${now?.evaluating && state === "running" ? "Judging" : words[state]}: ${where}`}
      share={steps === 0 ? 0 : step / steps}
      detail={
        <>
          step {formatNumber(step)} of {formatNumber(steps)}
          {left !== null && state === "running" ? `, ${formatDuration(left)} left` : ""}
        </>
      }
    />
  );
};

const none = "…";

const Numbers: FunctionComponent = () => {
  const now = live.value;
  const shown = (value: number | null | undefined, format: (value: number) => string): string =>
    value === null || value === undefined ? none : format(value);
  return (
    <Figures>
      <Figure label="Loss, last batch" hint="What training makes small" value={shown(now?.loss, (x) => x.toFixed(3))} />
      <Figure label="Accuracy, last batch" value={shown(now?.accuracy, formatPercent)} />
      <Figure label="Learning rate" hint="Of the last step" value={shown(now?.lr, formatRate)} />
      <Figure label="Images/s" value={shown(now?.imagesPerSecond, (x) => formatNumber(Math.round(x)))} />
      {(now?.waiting ?? 0) > 0.05 ? (
        <Figure
          label="Waiting for data"
          hint="Share of the time in which the device had nothing to do"
          value={shown(now?.waiting, formatPercent)}
        />
      ) : null}
    </Figures>
  );
};
