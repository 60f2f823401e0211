import "./train.css";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { followNetworks } from "../../store/listing.js";
import { Button, Notice, PageHeading } from "../../ui/index.js";
import { RunView } from "./run/run-view.js";
import { followDraft } from "./session/draft.js";
import { followRun, isActive, live, outline, problem, showing } from "./session/run.js";
import { Interrupted } from "./set-up/interrupted.js";
import { SetUp } from "./set-up/set-up.js";

export const Page: FunctionComponent = () => {
  useEffect(() => {
    const stops = [followRun(), followDraft(), followNetworks()];
    return () => {
      for (const stop of stops) stop();
    };
  }, []);
  const run = outline.value;
  return (
    <>
      <PageHeading title="Train">
        Choose a network and data, and watch it learn. All of it happens in this browser: no picture leaves the machine.
      </PageHeading>
      {showing.value === "run" && run !== null ? (
        <RunView />
      ) : (
        <div class="stack">
          {problem.value === undefined ? null : (
            <Notice kind="error" title="That did not work">
              {problem.value}
            </Notice>
          )}
          {run === null ? <Interrupted /> : <UnderWay />}
          <SetUp />
        </div>
      )}
    </>
  );
};

/** The way back from the set-up to the run. */
const UnderWay: FunctionComponent = () => {
  const run = outline.value;
  if (run === null) return null;
  const epoch = Math.floor(live.value?.epoch ?? 0) + 1;
  return (
    <Notice
      kind="info"
      actions={
        <Button
          onClick={() => {
            showing.value = "run";
          }}
        >
          {isActive.value ? "Look at it" : "Look at the last training"}
        </Button>
      }
    >
      {isActive.value
        ? `${run.title} is learning: epoch ${Math.min(epoch, run.training.epochs)} of ${run.training.epochs}.`
        : `${run.title} has been trained.`}
    </Notice>
  );
};
