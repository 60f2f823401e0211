import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatNumber } from "../../../format.js";
import type { NetworkCard } from "../../../model/card.js";
import type { ModelSpec } from "../../../model/spec.js";
import { useNewest } from "../../../newest.js";
import { Button, Field, Notice, Spinner } from "../../../ui/index.js";
import type { Fitted, OpenedFile } from "../../../workers/export/api.js";
import { ask } from "../../../workers/export/client.js";
import { ClassNames, type Names } from "./class-names.js";
import { NormalisationField, type TypedTransform } from "./normalisation-field.js";
import { WhichNetwork } from "./which-network.js";

interface ImportFormProps {
  readonly file: OpenedFile;
  /** It is being kept. */
  readonly busy: boolean;
  readonly error: string | undefined;
  readonly onKeep: (card: NetworkCard) => void;
  readonly onForget: () => void;
}

/** What a file does not say of its network. */
export const ImportForm: FunctionComponent<ImportFormProps> = ({ file, busy, error, onKeep, onForget }) => {
  const { card } = file;
  const [asked, setAsked] = useState<ModelSpec | undefined>(card?.spec);
  const [title, setTitle] = useState(card?.title ?? file.name.replace(/\.[^.]*$/, ""));
  const [names, setNames] = useState<Names>({ classes: undefined });
  const [normalised, setNormalised] = useState<TypedTransform>({ transform: undefined });
  const fit = useNewest<Fitted>();
  const key = JSON.stringify(asked);
  useEffect(() => {
    fit.clear();
    if (asked !== undefined) fit.ask(() => ask((api) => api.fit(asked)));
  }, [key]);
  const { value: fitted, busy: fitting, error: misfit } = fit.state.value;
  const classes = card?.classes ?? names.classes;
  const transform = card?.transform ?? normalised.transform;
  const ready = fitted !== undefined && classes !== undefined && transform !== undefined && title.trim() !== "";
  return (
    <div class="stack">
      <Found file={file} />
      {card === undefined ? <WhichNetwork fitting={file.fitting} onChange={setAsked} /> : null}
      {fitting ? <Spinner label="Trying whether the values fit" /> : null}
      {misfit === undefined ? null : (
        <Notice kind="error" title="The values are not this network's">
          <pre>{misfit.message}</pre>
        </Notice>
      )}
      {fitted === undefined ? null : (
        <>
          <p role="status" class="small">
            The values fit {fitted.title}.
          </p>
          <Field label="Name" error={title.trim() === "" ? "needs a name" : undefined}>
            {(ids) => (
              <input
                {...ids}
                value={title}
                maxLength={200}
                onInput={({ currentTarget }) => setTitle(currentTarget.value)}
              />
            )}
          </Field>
          {card?.classes === undefined ? <ClassNames count={fitted.numClasses} onChange={setNames} /> : null}
          {card?.transform === undefined ? (
            <NormalisationField key={JSON.stringify(fitted)} fitted={fitted} onChange={setNormalised} />
          ) : null}
        </>
      )}
      {error === undefined ? null : (
        <Notice kind="error" title="It could not be kept">
          <pre>{error}</pre>
        </Notice>
      )}
      {busy ? <Spinner label="Keeping it" /> : null}
      <div class="row">
        <Button
          kind="primary"
          disabled={!ready || busy}
          onClick={() => {
            if (ready)
              onKeep({ title: title.trim(), spec: fitted.spec, classes, transform, accuracy: card?.accuracy ?? null });
          }}
        >
          Keep it
        </Button>
        <Button onClick={onForget}>Forget it</Button>
      </div>
    </div>
  );
};

const Found: FunctionComponent<{ readonly file: OpenedFile }> = ({ file: { name, tensors, notes, card, fitting } }) => (
  <div class="small">
    <p>
      <strong>{name}</strong> holds {formatNumber(tensors)} tensors (arrays of numbers). {said(card, fitting)}
    </p>
    {notes.map((note) => (
      <p key={note} class="quiet">
        {note}
      </p>
    ))}
  </div>
);

function said(card: OpenedFile["card"], fitting: OpenedFile["fitting"]): string {
  const titles = fitting.slice(0, 5).map(({ title }) => title);
  if (card !== undefined) {
    const also = [card.classes && "its classes", card.transform && "its normalisation"].filter((what) => what);
    return `It is known as ${titles[0]}${also.length === 0 ? "" : `, with ${also.join(" and ")}`}.`;
  }
  if (titles.length === 0)
    return "It does not say which network they are of, and none of the zoo has just these names and shapes: choose it.";
  const which =
    titles.length === 1
      ? ""
      : " Networks may have the same names and shapes and yet compute differently: choose the one it was.";
  return `It does not say which network they are of; they fit ${titles.join(" or ")}.${which}`;
}
