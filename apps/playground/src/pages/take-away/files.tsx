import { formatBytes } from "@ocelli/inspect";
import { Download } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatNumber } from "../../format.js";
import { fileName } from "../../model/file-name.js";
import { useNewest } from "../../newest.js";
import { download } from "../../ui/download.js";
import { Button, Checkbox, Notice, Panel, Spinner } from "../../ui/index.js";
import type { Described, ExportFormat } from "../../workers/export/api.js";
import { ask } from "../../workers/export/client.js";

interface Kind {
  readonly format: ExportFormat;
  readonly title: string;
  readonly ending: string;
  /** What it is for. @param resumable whether a training can go on from its checkpoint */
  readonly about: string | ((resumable: boolean) => string);
}

const kinds: readonly Kind[] = [
  {
    format: "onnx",
    title: "ONNX",
    ending: ".onnx",
    about: "Network and values in one file, for ONNX Runtime and whatever else reads ONNX: servers, phones, browsers.",
  },
  {
    format: "safetensors",
    title: "Safetensors",
    ending: ".safetensors",
    about:
      "The values under PyTorch's names, with classes and normalisation. The program below and the command ocelli read it.",
  },
  {
    format: "pytorch",
    title: "PyTorch",
    ending: ".pth",
    about:
      "The values as a state_dict, for torch.load(file, weights_only=True). It says nothing of classes and normalisation.",
  },
  {
    format: "checkpoint",
    title: "Checkpoint",
    ending: ".checkpoint.safetensors",
    about: (resumable) =>
      `${resumable ? "All that the training holds, the optimizer's state too" : "The values as a training keeps them; there is no optimizer's state to go with them"}. The command ocelli (told the model, where it is none of the zoo's) and this page read it.`,
  },
];

interface Written {
  readonly name: string;
  readonly bytes: number;
}

/** The network as files; they are written when somebody asks for them. */
export const Files: FunctionComponent<{ readonly described: Described }> = ({ described }) => {
  const [withTransform, setWithTransform] = useState(true);
  const writing = useNewest<Written>();
  const { value: written, busy, error } = writing.state.value;
  const write = ({ format, ending }: Kind): void => {
    writing.clear();
    writing.ask(async () => {
      const { card } = described;
      const bytes = await ask((api) => api.encode({ source: described.source, card, format, withTransform }));
      const name = `${fileName(card.title)}${ending}`;
      download(name, bytes);
      return { name, bytes: bytes.length };
    });
  };
  return (
    <Panel title="Files">
      <ul class="take-away-files">
        {kinds.map((kind) => (
          <li key={kind.format}>
            <div>
              <h3>
                {kind.title} <span class="mono quiet">{kind.ending}</span>
              </h3>
              <p class="quiet small">{typeof kind.about === "string" ? kind.about : kind.about(described.resumable)}</p>
              {kind.format === "onnx" ? (
                <OnnxInput {...{ described, withTransform }} onChange={setWithTransform} />
              ) : null}
            </div>
            <span class="figures small take-away-size">about {formatBytes(described.bytes[kind.format])}</span>
            <Button
              disabled={busy}
              onClick={() => write(kind)}
              aria-label={`Download ${kind.title}, about ${formatBytes(described.bytes[kind.format])}`}
            >
              <Download size={16} aria-hidden="true" /> Download
            </Button>
          </li>
        ))}
      </ul>
      {busy ? <Spinner label="Writing the file" /> : null}
      {error === undefined ? null : (
        <Notice kind="error" title="The file could not be written">
          <pre>{error.message}</pre>
        </Notice>
      )}
      {written === undefined ? null : (
        <p role="status" class="small">
          {written.name} was handed to the browser: {formatNumber(written.bytes)} bytes.
        </p>
      )}
    </Panel>
  );
};

interface OnnxInputProps {
  readonly described: Described;
  readonly withTransform: boolean;
  readonly onChange: (withTransform: boolean) => void;
}

const OnnxInput: FunctionComponent<OnnxInputProps> = ({ described: { input, pixels }, withTransform, onChange }) => (
  <>
    <Checkbox label="Normalise inside the file" checked={withTransform} onChange={onChange} />
    <p class="quiet small">
      Input{" "}
      <code>{withTransform ? `images: uint8[N, ${pixels.join(", ")}]` : `input: float32[N, ${input.join(", ")}]`}</code>
      {withTransform ? ", pixels from 0 to 255 as they are." : ", pixels normalised by whoever uses it."}
    </p>
  </>
);
