import type { FunctionComponent } from "preact";
import { Link } from "wouter-preact";
import { weightsEndings } from "../../../store/endings.js";
import type { SavedNetwork } from "../../../store/networks.js";
import { FileDrop, Notice, Panel, Spinner } from "../../../ui/index.js";
import type { OpenedFile } from "../../../workers/export/api.js";
import { ask } from "../../../workers/export/client.js";
import { choose, refresh } from "../session.js";
import { useTask } from "../task.js";
import { ImportForm } from "./import-form.js";

/** Networks from elsewhere: a file is read, its network named, and its values kept. */
export const ImportPanel: FunctionComponent = () => {
  const opening = useTask<OpenedFile>();
  const keeping = useTask<SavedNetwork>();
  const open = ([file, ...others]: readonly File[]): void => {
    keeping.clear();
    opening.run(`Reading ${file?.name}`, async () => {
      if (file === undefined || others.length > 0)
        throw new Error(
          `${1 + others.length} files were dropped; a network is in one. Bring them one after the other.`,
        );
      return ask((api) => api.open(file));
    });
  };
  const forget = (): void => {
    opening.clear();
    keeping.clear();
    // A worker that broke down has forgotten it, too.
    ask((api) => api.close()).catch(() => undefined);
  };
  const { value: file } = opening;
  return (
    <Panel title="Bring a network along">
      <FileDrop label="Drop or choose a file" accept={weightsEndings.join(",")} onFiles={open}>
        Safetensors, PyTorch (.pth, .pt, .th), ONNX, or a checkpoint. It stays on your machine.
      </FileDrop>
      {opening.busy === undefined ? null : <Spinner label={opening.busy} />}
      {opening.error === undefined ? null : (
        <Notice kind="error" title="The file cannot be used">
          <pre>{opening.error.message}</pre>
        </Notice>
      )}
      {file === undefined || keeping.value !== undefined ? null : (
        <ImportForm
          key={file.name}
          file={file}
          busy={keeping.busy}
          error={keeping.error?.message}
          onForget={forget}
          onKeep={(card) =>
            keeping.run(`Keeping ${card.title}`, async () => {
              const network = await ask((api) => api.keep(card));
              await refresh();
              choose(network.id);
              return network;
            })
          }
        />
      )}
      {keeping.value === undefined ? null : (
        <Notice kind="info" title={`${keeping.value.title} is kept in this browser`}>
          It is chosen now: <Link href="/try">try it</Link>, or take it away in another format.
        </Notice>
      )}
    </Panel>
  );
};
