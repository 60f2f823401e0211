import type { ComponentChildren, FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../../ui/index.js";
import { useEscape } from "../../ui/use-escape.js";

interface ConfirmProps {
  readonly question: string;
  /** What is done, on the button. */
  readonly yes: string;
  readonly onYes: () => void;
  /** What asks for it first. */
  readonly children: (ask: () => void) => ComponentChildren;
}

/** Asks once more, in place, before something that cannot be taken back. */
export const Confirm: FunctionComponent<ConfirmProps> = ({ question, yes, onYes, children }) => {
  const [asking, setAsking] = useState(false);
  const keep = useRef<HTMLFieldSetElement>(null);
  useEffect(() => {
    if (asking) keep.current?.querySelector("button")?.focus();
  }, [asking]);
  useEscape(() => setAsking(false));
  if (!asking) return <>{children(() => setAsking(true))}</>;
  return (
    <fieldset class="row train-confirm" aria-label={question} ref={keep}>
      <span class="small">{question}</span>
      <Button
        kind="danger"
        onClick={() => {
          setAsking(false);
          onYes();
        }}
      >
        {yes}
      </Button>
      <Button onClick={() => setAsking(false)}>Keep</Button>
    </fieldset>
  );
};
