import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { currentModel } from "../../../state.js";
import { Button, Notice } from "../../../ui/index.js";
import { trainer } from "../../../workers/train/client.js";
import { beginning, chosenData, digitsData, isChanged, planProblem, scaled, unchangeAll } from "../session/draft.js";

/** Why network, data and recipe do not go together, and what would help. */
export const DoNotFit: FunctionComponent = () => {
  const message = planProblem.value;
  const size = useLeastSize(message);
  if (message === undefined) return null;
  return (
    <Notice
      kind="error"
      title="This cannot be trained as it is"
      actions={
        <>
          {size === undefined ? null : (
            <Button
              kind="primary"
              onClick={() => {
                scaled.value = { spec: currentModel.value, size };
              }}
            >
              Scale the pictures up to {size} x {size}
            </Button>
          )}
          {beginning.value === undefined ? null : (
            <Button
              onClick={() => {
                beginning.value = undefined;
              }}
            >
              Begin from fresh values
            </Button>
          )}
          <Button
            onClick={() => {
              currentModel.value = { kind: "zoo", name: "lenet5_modern" };
            }}
          >
            Take LeNet-5 instead
          </Button>
          {chosenData.value.kind === "digits" ? null : (
            <Button
              onClick={() => {
                chosenData.value = digitsData;
              }}
            >
              Take the digits instead
            </Button>
          )}
          {isChanged.value ? <Button onClick={unchangeAll}>Back to the proposed recipe</Button> : null}
        </>
      }
    >
      {message}
    </Notice>
  );
};

/** The size of pictures at which the network works, where theirs is what is wrong. */
function useLeastSize(message: string | undefined): number | undefined {
  const [size, setSize] = useState<number>();
  useEffect(() => {
    setSize(undefined);
    if (message === undefined) return;
    let gone = false;
    trainer()
      .leastSize({ spec: currentModel.value, data: chosenData.value })
      .then(
        (least) => gone || setSize(least ?? undefined),
        // Then it is something else that is wrong, and the message says it.
        () => undefined,
      );
    return () => {
      gone = true;
    };
  }, [message]);
  return size;
}
