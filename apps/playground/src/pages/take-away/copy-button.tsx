import { Check, Copy } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../../ui/index.js";

interface CopyButtonProps {
  readonly text: string;
  /** What is copied, for those who listen: "the program". */
  readonly what: string;
}

export const CopyButton: FunctionComponent<CopyButtonProps> = ({ text, what }) => {
  const [said, setSaid] = useState("");
  useEffect(() => setSaid(""), [text]);
  const copy = (): void => {
    // Pages that are not on https:// have no clipboard.
    const clipboard: Clipboard | undefined = navigator.clipboard;
    const copied = clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
    copied.then(
      () => setSaid("Copied"),
      () => setSaid("The browser does not allow it: select and copy"),
    );
  };
  return (
    <span class="row">
      <Button onClick={copy} aria-label={`Copy ${what}`}>
        {said === "Copied" ? <Check size={16} aria-hidden="true" /> : <Copy size={16} aria-hidden="true" />} Copy
      </Button>
      <span role="status" class="small quiet">
        {said}
      </span>
    </span>
  );
};
