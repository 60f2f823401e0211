import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatNumber } from "../../format.js";
import { shareUrl } from "../../model/share.js";
import { currentTraining } from "../../state.js";
import { Checkbox, Field, Panel, Select } from "../../ui/index.js";
import type { Described } from "../../workers/export/api.js";
import { CopyButton } from "./copy-button.js";
import { chosen } from "./session.js";

const pages = [
  { value: "/architectures", label: "Architectures" },
  { value: "/train", label: "Train" },
  { value: "/try", label: "Try" },
] as const;

/** A link that holds a network's design and training as text: no values, no images. */
export const SharePanel: FunctionComponent<{ readonly described: Described | undefined }> = ({ described }) => {
  const [page, setPage] = useState<(typeof pages)[number]["value"]>("/architectures");
  const [withTraining, setWithTraining] = useState(true);
  if (described === undefined) return null;
  const { card, source } = described;
  const training = source.kind === "random" ? currentTraining.value : chosen.value?.training;
  const url = shareUrl(page, { model: card.spec, ...(training !== undefined && withTraining && { training }) });
  return (
    <Panel title="Share the design">
      <p class="small">
        A link to <strong>{card.title}</strong>: which network it is and how it is trained, without values and images.
        Whoever opens it gets the same design; nothing is sent to a server.
      </p>
      <Select label="Opens at" value={page} choices={pages} onChange={setPage} />
      {training === undefined ? null : (
        <Checkbox label="With how it is trained" checked={withTraining} onChange={setWithTraining} />
      )}
      <Field label="Link" hint={`${formatNumber(url.length)} characters`}>
        {(ids) => (
          <input {...ids} class="mono" readOnly value={url} onFocus={({ currentTarget }) => currentTarget.select()} />
        )}
      </Field>
      <CopyButton text={url} what="the link" />
    </Panel>
  );
};
