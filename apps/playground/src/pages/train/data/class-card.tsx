import { droppedFiles, type LocatedFile } from "@ocelli/training/web";
import type { Signal } from "@preact/signals";
import { Trash2 } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useId } from "preact/hooks";
import { plural } from "../../../format.js";
import { FileDrop, IconButton } from "../../../ui/index.js";
import { locatedFiles } from "./located.js";
import { type DraftClass, type PicturesDraft, renamed, withoutClass, withoutPicture } from "./pictures-draft.js";
import { Thumbnail } from "./thumbnail.js";

interface ClassCardProps {
  readonly one: DraftClass;
  readonly draft: Signal<PicturesDraft>;
  readonly onFiles: (files: readonly LocatedFile[]) => void;
}

/** So many are drawn: a class may have thousands. */
const shown = 12;

/** A class: its name, its pictures, a place to drop more. */
export const ClassCard: FunctionComponent<ClassCardProps> = ({ one: { id, name, pictures }, draft, onFiles }) => {
  const field = useId();
  return (
    <section class="train-class" aria-label={`Class ${name}`}>
      <div class="row">
        <label class="visually-hidden" for={field}>
          Name of the class
        </label>
        <input
          id={field}
          class="grow"
          type="text"
          value={name}
          maxLength={60}
          onInput={({ currentTarget }) => {
            draft.value = renamed(draft.value, id, currentTarget.value);
          }}
        />
        <IconButton
          label={`Remove the class ${name}`}
          disabled={draft.value.classes.length <= 2}
          onClick={() => {
            draft.value = withoutClass(draft.value, id);
          }}
        >
          <Trash2 size={18} aria-hidden="true" />
        </IconButton>
      </div>
      {pictures.length === 0 ? null : (
        <ul class="train-thumbnails" aria-label={`${plural(pictures.length, "picture")} of ${name}`}>
          {pictures.slice(0, shown).map((picture) => (
            <Thumbnail
              key={picture.id}
              {...picture}
              onRemove={() => {
                draft.value = withoutPicture(draft.value, id, picture.id);
              }}
            />
          ))}
          {pictures.length > shown ? <li class="small quiet">and {pictures.length - shown} more</li> : null}
        </ul>
      )}
      <FileDrop
        label="Add pictures"
        accept="image/*"
        multiple
        onFiles={(files) => onFiles(locatedFiles(files))}
        onDrop={(data) => void droppedFiles(data).then(onFiles)}
      >
        {pictures.length === 0 ? "none yet" : plural(pictures.length, "picture")}
      </FileDrop>
    </section>
  );
};
