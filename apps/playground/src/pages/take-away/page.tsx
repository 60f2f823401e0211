import "./take-away.css";
import type { FunctionComponent } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Notice, PageHeading, Spinner } from "../../ui/index.js";
import type { Described } from "../../workers/export/api.js";
import { ask } from "../../workers/export/client.js";
import { Check } from "./check.js";
import { Files } from "./files.js";
import { ImportPanel } from "./import/import-panel.js";
import { NetworkPanel } from "./network-panel.js";
import { ProgramPanel } from "./program-panel.js";
import { SavedPanel } from "./saved-panel.js";
import { changes, refresh, source, sourceKey } from "./session.js";
import { SharePanel } from "./share-panel.js";
import { useTask } from "./task.js";

export const Page: FunctionComponent = () => {
  const task = useTask<Described>();
  // The one before stays while the next is looked at: editing a network moves nothing about.
  const newest = useRef<Described>();
  if (task.value !== undefined) newest.current = task.value;
  const key = sourceKey.value;
  useEffect(() => void refresh(), []);
  useEffect(() => {
    task.run("Looking at the network", () => ask((api) => api.describe(source.peek())));
  }, [key, changes.value]);
  const described = task.error === undefined ? newest.current : undefined;
  return (
    <>
      <PageHeading title="Take it away">
        Files of a network for other programs, a program of its own, a link to its design. And the way back: networks
        from elsewhere.
      </PageHeading>
      <div class="take-away">
        <div class="take-away-column">
          <NetworkPanel described={described} />
          {task.error === undefined ? null : (
            <Notice kind="error" title="This network cannot be taken away">
              <pre>{task.error.message}</pre>
            </Notice>
          )}
          {described === undefined && task.busy !== undefined ? <Spinner label={task.busy} /> : null}
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
