import type { FunctionComponent } from "preact";
import { formatTime } from "../../../format.js";
import { Button, Notice } from "../../../ui/index.js";
import { Confirm } from "../confirm.js";
import { continueRun, discardRun, runs } from "../session/run.js";

/** The training that a reload or a closed page cut off: to be gone on with, or not. */
export const Interrupted: FunctionComponent = () => {
  const cut = runs.value.find(({ state, open }) => (state === "interrupted" || state === "paused") && !open);
  if (cut === undefined) return null;
  const { network, state, epoch, epochs, saved } = cut;
  return (
    <Notice
      kind="info"
      title={`A training of ${network.title} was ${state}`}
      actions={
        <>
          <Button kind="primary" onClick={() => void continueRun(network.id)}>
            Go on
          </Button>
          <Confirm
            question={`Delete ${network.title} and what it has learnt?`}
            yes="Delete"
            onYes={() => void discardRun(network.id)}
          >
            {(ask) => <Button onClick={ask}>Discard</Button>}
          </Confirm>
        </>
      }
    >
      In epoch {Math.min(epochs, Math.floor(epoch) + 1)} of {epochs}. It was last kept {formatTime(saved)}, and goes on
      from there as if it had never stopped.
    </Notice>
  );
};
