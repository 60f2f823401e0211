import type { FunctionComponent } from "preact";
import { useNewest } from "../../newest.js";
import { Button, Notice, Panel, Spinner, Table } from "../../ui/index.js";
import type { Answers, Described } from "../../workers/export/api.js";
import { ask } from "../../workers/export/client.js";
import { patternRule } from "../../workers/export/pattern.js";
import { CopyButton } from "./copy-button.js";

/** What the network itself says to an image that every program can make: so that one sees whether a file is used rightly. */
export const Check: FunctionComponent<{ readonly described: Described }> = ({
  described: { source, card, pixels },
}) => {
  const answers = useNewest<Answers>();
  const { value, busy, error } = answers.state.value;
  return (
    <Panel title="Does your program agree?">
      <p class="small">
        A program that uses a file of this network should give the same logits (the numbers before probabilities) as the
        network here, for an image that is easy to make: {pixels.join(" × ")} pixels in the order channels, rows,
        columns, of which number i is {patternRule}.
      </p>
      <div class="row">
        <Button onClick={() => answers.ask(() => ask((api) => api.answers({ source, card })))} disabled={busy}>
          Ask the network
        </Button>
        {value === undefined ? null : <CopyButton text={JSON.stringify(value.logits)} what="all logits as JSON" />}
      </div>
      {busy ? <Spinner label="Asking the network" /> : null}
      {error === undefined ? null : (
        <Notice kind="error" title="The network could not be asked">
          <pre>{error.message}</pre>
        </Notice>
      )}
      {value === undefined ? null : <Logits answers={value} classes={card.classes} />}
    </Panel>
  );
};

interface LogitsProps {
  readonly answers: Answers;
  readonly classes: readonly string[];
}

const shownClasses = 10;

const Logits: FunctionComponent<LogitsProps> = ({ answers: { logits, device }, classes }) => {
  const best = logits
    .map((logit, index) => ({ logit, index }))
    .sort((a, b) => b.logit - a.logit)
    .slice(0, shownClasses);
  return (
    <>
      <Table
        caption="Logits of the pattern, largest first"
        columns={[
          { title: "Class", cell: ({ index }) => classes[index] ?? index },
          { title: "Number", cell: ({ index }) => index, number: true },
          { title: "Logit", cell: ({ logit }) => logit.toFixed(4), number: true },
        ]}
        rows={best}
        keyOf={({ index }) => `${index}`}
      />
      <p class="quiet small">
        {logits.length > shownClasses ? `The largest ${shownClasses} of ${logits.length}. ` : ""}Computed on{" "}
        {device.adapter}. Other processors round differently: the fourth digit may differ.
      </p>
    </>
  );
};
