import type { FunctionComponent } from "preact";
import { useLocation } from "wouter-preact";
import { formatNumber, formatPercent } from "../../../format.js";
import { currentNetwork } from "../../../state.js";
import { Button, Notice } from "../../../ui/index.js";
import { continueRun, epochs, holdRun, type RunOutline } from "../session/run.js";
import { judgedAccuracy } from "./judged.js";

/** What it has come to, in words, and what to do with it. */
export const Finished: FunctionComponent<{ readonly run: RunOutline }> = ({ run }) => {
  const [, navigate] = useLocation();
  const take = async (page: string): Promise<void> => {
    if (!run.storage.kept && !(await holdRun())) return;
    currentNetwork.value = run.id;
    navigate(page);
  };
  const best = accuracyOf(run);
  return (
    <Notice
      kind="info"
      title={run.state === "done" ? "The training is over" : "The training was stopped"}
      actions={
        <>
          {run.state === "stopped" && run.storage.kept ? (
            <Button onClick={() => void continueRun(run.id)}>Go on</Button>
          ) : null}
          <Button kind="primary" onClick={() => void take("/try")}>
            Try it
          </Button>
          <Button onClick={() => void take("/take-away")}>Take it away</Button>
        </>
      }
    >
      {best === undefined ? "No epoch is over yet, so nothing has judged it." : inWords(best, run)}
    </Notice>
  );
};

interface Accuracy {
  readonly share: number;
  readonly of: "test" | "validation";
}

function accuracyOf({ result, data }: RunOutline): Accuracy | undefined {
  if (typeof result?.testAccuracy === "number") return { share: result.testAccuracy, of: "test" };
  const found = epochs.value.flatMap((epoch) => judgedAccuracy(epoch) ?? []);
  return found.length === 0 ? undefined : { share: Math.max(...found), of: data.judged };
}

/** "It names 97 of 100 digits right that it had never seen: 97.3 % of 2,000 test images. By chance it would be 10." */
function inWords({ share, of }: Accuracy, { data: { classes, test, validation } }: RunOutline): string {
  const count = of === "test" ? test : validation;
  const unseen = of === "test" ? "that it had never seen" : "that it did not learn from";
  const chance = Math.round(100 / classes.length);
  // Of a few pictures, shares of a hundred would say more than is known.
  const right =
    count < 100
      ? `${Math.round(share * count)} of the ${count} pictures ${unseen}`
      : `${Math.round(100 * share)} of 100 pictures ${unseen} (${formatPercent(share)} of ${formatNumber(count)})`;
  return `It names ${right}. Guessing would be right ${chance < 1 ? "less than once" : `${chance} times`} in 100.`;
}
