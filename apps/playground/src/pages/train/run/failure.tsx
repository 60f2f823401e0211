import type { FunctionComponent } from "preact";
import { formatNumber } from "../../../format.js";
import { Button, Notice } from "../../../ui/index.js";
import type { RunFailure } from "../../../workers/train/api.js";
import { numberOf, withNumber } from "../recipe/optimizers.js";
import { change } from "../session/draft.js";
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
    {message}
  </Notice>
);

/** What exploded once would do so again at the same rate. */
async function goOn(name: string): Promise<void> {
  if (name === "TrainingError" && !(await setRate(0.1))) return;
  await resumeRun();
}

async function again({ spec, training, title }: RunOutline): Promise<void> {
  const lr = Number((numberOf(training.optimizer, "lr") / 10).toPrecision(3));
  const optimizer = withNumber(training.optimizer, "lr", lr);
  change({ optimizer });
  await startRun({ spec, training: { ...training, optimizer }, title });
}
