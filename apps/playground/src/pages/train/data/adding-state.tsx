import type { FunctionComponent } from "preact";
import { plural } from "../../../format.js";
import { Button, Notice, Progress, Spinner } from "../../../ui/index.js";
import type { AddDataRequest, AddedData } from "../../../workers/train/api.js";
import type { Adding } from "./adding.js";
import { describe } from "./data-list.js";

interface AddingStateProps {
  readonly adding: Adding;
  readonly add: (request: AddDataRequest) => Promise<boolean>;
}

/** How far the adding is, what came of it, or why nothing did. */
export const AddingState: FunctionComponent<AddingStateProps> = ({ adding, add }) => {
  if (adding.state === "idle") return null;
  if (adding.state === "done") return <Done {...adding.added} />;
  if (adding.state === "busy") {
    const { progress } = adding;
    if (progress === undefined) return <Spinner label="Looking at the files" />;
    const { done, total, doing } = progress;
    return (
      <Progress
        label={doing === "looking" ? "Looking at the files" : "Keeping them in this browser"}
        share={total === 0 ? 0 : done / total}
        detail={`${done} of ${total}`}
      />
    );
  }
  const { error, request } = adding;
  const noRoom = error.name === "StorageError";
  return (
    <Notice
      kind="error"
      title={noRoom ? "They cannot be kept in this browser" : "These files cannot be used"}
      actions={
        noRoom ? (
          <Button onClick={() => void add({ ...request, keep: "memory" })}>Use them until the page is closed</Button>
        ) : undefined
      }
    >
      <span class="train-message">{error.message}</span>
    </Notice>
  );
};

const Done: FunctionComponent<AddedData> = ({ data, broken }) => (
  <Notice kind={broken.length > 0 ? "warning" : "info"} title={`${data.title} is there`}>
    {describe(data)}.
    {broken.length === 0 ? null : (
      <details>
        <summary>{plural(broken.length, "file")} left out</summary>
        <ul class="train-broken small">
          {broken.map(({ path, reason }) => (
            <li key={path}>
              {path}: {reason}
            </li>
          ))}
        </ul>
      </details>
    )}
  </Notice>
);
