import type { FunctionComponent } from "preact";
import { formatNumber } from "../../../format.js";
import { Button, Notice } from "../../../ui/index.js";
import type { RunFailure } from "../../../workers/train/api.js";
import { numberOf, withNumber } from "../recipe/optimizers.js";
import { change, given } from "../session/draft.js";
import { type RunOutline, resumeRun, setRate, showing, startRun } from "../session/run.js";

interface FailureProps {
  readonly run: RunOutline;
  readonly failure: RunFailure;
}

const titles: Readonly<Record<string, string>> = {
  TrainingError: "The training went wrong",
  DeviceLostError: "The graphics card was lost",
  StorageError: "The storage failed",
};

/** What happened, where the error's own words are for those who write programs. */
const words: Readonly<Record<string, string>> = {
  DeviceLostError:
    "The browser or the card's driver was started anew. Only the steps since the last save are lost; going on opens the card again.",
};

/** Why it stopped, and how to go on. */
export const Failure: FunctionComponent<FailureProps> = ({ run, failure: { name, message, resumable, from } }) => (
  <Notice
    kind="error"
    title={titles[name] ?? "The training stopped"}
    actions={
      <>
        {resumable ? (
          <Button kind={name === "TrainingError" ? "plain" : "primary"} onClick={() => void goOn(name)}>
            {name === "TrainingError" ? "Go on at a tenth of the learning rate" : "Go on"} from step{" "}
            {formatNumber(from)}
          </Button>
        ) : null}
        {name === "TrainingError" ? (
          <Button kind="primary" onClick={() => void again(run)}>
            Begin again at a tenth of the learning rate
          </Button>
        ) : null}
        <Button
          onClick={() => {
            showing.value = "set-up";
          }}
        >
          Change the set-up
        </Button>
      </>
    }
  >
    {words[name] ?? message}
    {words[name] === undefined ? null : <p class="small">{message}</p>}
  </Notice>
);

/** What exploded once would do so again at the same rate. */
async function goOn(name: string): Promise<void> {
  if (name === "TrainingError" && !(await setRate(0.1))) return;
  await resumeRun();
}

async function again({ spec, training, title, origin }: RunOutline): Promise<void> {
  const lr = Number((numberOf(training.optimizer, "lr") / 10).toPrecision(3));
  const optimizer = withNumber(training.optimizer, "lr", lr);
  change({ optimizer });
  await startRun({ spec, training: { ...training, optimizer }, title, from: origin && given(origin) });
}
