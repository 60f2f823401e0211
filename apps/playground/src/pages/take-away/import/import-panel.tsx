import type { FunctionComponent } from "preact";
import { Link } from "wouter-preact";
import { useNewest } from "../../../newest.js";
import { weightsEndings } from "../../../store/endings.js";
import { hold } from "../../../store/listing.js";
import { FileDrop, Notice, Panel, Spinner } from "../../../ui/index.js";
import type { Kept, OpenedFile } from "../../../workers/export/api.js";
import { ask } from "../../../workers/export/client.js";
import { choose } from "../session.js";
import { ImportForm } from "./import-form.js";

/** Networks from elsewhere: a file is read, its network named, and its values kept. */
export const ImportPanel: FunctionComponent = () => {
  const opening = useNewest<OpenedFile>();
  const keeping = useNewest<Kept>();
  const open = ([file, ...others]: readonly File[]): void => {
    keeping.clear();
    opening.clear();
    opening.ask(async () => {
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
  const { value: file, busy: reading, error: unread } = opening.state.value;
  const { value: kept, busy, error } = keeping.state.value;
  return (
    <Panel title="Bring a network along">
      <FileDrop label="Drop or choose a file" accept={weightsEndings.join(",")} onFiles={open}>
        Safetensors, PyTorch (.pth, .pt, .th), ONNX, or a checkpoint. It stays on your machine.
      </FileDrop>
      {reading ? <Spinner label="Reading the file" /> : null}
      {unread === undefined ? null : (
        <Notice kind="error" title="The file cannot be used">
          <pre>{unread.message}</pre>
        </Notice>
      )}
      {file === undefined || kept !== undefined ? null : (
        <ImportForm
          key={file.name}
          file={file}
          busy={busy}
          error={error?.message}
          onForget={forget}
          onKeep={(card) =>
            keeping.ask(async () => {
              const done = await ask((api) => api.keep(card));
              if (done.held !== undefined) hold({ about: done.network, file: done.held.file });
              choose(done.network.id);
              return done;
            })
          }
        />
      )}
      {kept === undefined ? null : <Outcome kept={kept} />}
    </Panel>
  );
};

const Outcome: FunctionComponent<{ readonly kept: Kept }> = ({ kept: { network, held } }) =>
  held === undefined ? (
    <Notice kind="info" title={`${network.title} is kept in this browser`}>
      It is chosen now: <Link href="/try">try it</Link>, or take it away in another format.
    </Notice>
  ) : (
    <Notice kind="warning" title={`${network.title} is in memory alone`}>
      {held.why} It is chosen now, to <Link href="/try">try</Link> or to take away, as long as this page is open.
    </Notice>
  );
