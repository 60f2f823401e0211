import "./take-away.css";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { useNewest } from "../../newest.js";
import { followNetworks, networks } from "../../store/listing.js";
import { Notice, PageHeading, Spinner } from "../../ui/index.js";
import type { Described } from "../../workers/export/api.js";
import { ask } from "../../workers/export/client.js";
import { Check } from "./check.js";
import { Files } from "./files.js";
import { ImportPanel } from "./import/import-panel.js";
import { NetworkPanel } from "./network-panel.js";
import { ProgramPanel } from "./program-panel.js";
import { SavedPanel } from "./saved-panel.js";
import { source, sourceKey } from "./session.js";
import { SharePanel } from "./share-panel.js";

export const Page: FunctionComponent = () => {
  const description = useNewest<Described>();
  const { value, busy, error } = description.state.value;
  useEffect(followNetworks, []);
  useEffect(
    () => description.ask(() => ask((api) => api.describe(source.peek()))),
    // A network may have another name now, or be gone.
    [sourceKey.value, networks.value],
  );
  const described = error === undefined ? value : undefined;
  return (
    <>
      <PageHeading title="Take it away">
        Files of a network for other programs, a program of its own, a link to its design. And the way back: networks
        from elsewhere.
      </PageHeading>
      <div class="take-away">
        <div class="take-away-column">
          <NetworkPanel described={described} />
          {error === undefined ? null : (
            <Notice kind="error" title="This network cannot be taken away">
              <pre>{error.message}</pre>
            </Notice>
          )}
          {described === undefined && busy ? <Spinner label="Looking at the network" /> : null}
          {described === undefined ? null : <Ways described={described} />}
        </div>
        <div class="take-away-column">
          <ImportPanel />
          <SharePanel described={described} />
          <SavedPanel />
        </div>
      </div>
    </>
  );
};

const Ways: FunctionComponent<{ readonly described: Described }> = ({ described }) => {
  const key = JSON.stringify(described.source);
  return (
    <>
      <Files key={`files ${key}`} described={described} />
      <ProgramPanel described={described} />
      <Check key={`check ${key}`} described={described} />
    </>
  );
};
