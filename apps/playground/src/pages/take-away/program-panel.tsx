import { Download } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { download } from "../../ui/download.js";
import { Button, Panel } from "../../ui/index.js";
import type { Described } from "../../workers/export/api.js";
import { CopyButton } from "./copy-button.js";

/** A TypeScript program of the same network. */
export const ProgramPanel: FunctionComponent<{ readonly described: Described }> = ({ described }) => {
  const { text, install, run, file } = described.program;
  return (
    <Panel title="A program of its own">
      <p class="small">
        The same network in TypeScript, for Node 20.19 or later. It reads the safetensors file from its own folder and
        names the class of a picture.
      </p>
      <ol class="take-away-steps small">
        <li>
          Put <code>{file}</code> and <code>{described.weights}</code> into a folder.
        </li>
        <li>
          <code>{install}</code>
        </li>
        <li>
          <code>{run}</code>
        </li>
      </ol>
      <div class="row">
        <Button onClick={() => download(file, text, "text/plain")}>
          <Download size={16} aria-hidden="true" /> Download {file}
        </Button>
        <CopyButton text={text} what="the program" />
      </div>
      <section class="take-away-code" aria-label="The program" {...{ tabIndex: 0 }}>
        <pre>{text}</pre>
      </section>
    </Panel>
  );
};
