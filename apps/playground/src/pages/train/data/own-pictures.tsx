import { droppedFiles, type LocatedFile } from "@ocelli/training/web";
import { signal } from "@preact/signals";
import { Plus } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { plural } from "../../../format.js";
import { Button, Field, FileDrop, Notice } from "../../../ui/index.js";
import { useAdding } from "./adding.js";
import { AddingState } from "./adding-state.js";
import { Camera } from "./camera.js";
import { ClassCard } from "./class-card.js";
import { locatedFiles } from "./located.js";
import { draftProblem, emptyDraft, labelledFiles, type PicturesDraft, sorted, withClass } from "./pictures-draft.js";

/** Outlives the page's parts: what was sorted is not lost by a look elsewhere. */
const draft = signal<PicturesDraft>(emptyDraft());
/** Files of the last addition that were no pictures. */
const leftOut = signal<readonly string[]>([]);

const take = (files: readonly LocatedFile[], into?: number): void => {
  const { draft: next, others } = sorted(draft.value, files, into);
  draft.value = next;
  leftOut.value = others;
};

/** The reader's own pictures: by folders, by dropping, by the camera; labelled here. */
export const OwnPictures: FunctionComponent = () => {
  const { adding, add } = useAdding();
  const [wrong, setWrong] = useState<{ readonly of: PicturesDraft; readonly what: string }>();
  const { title, classes } = draft.value;
  const count = classes.reduce((sum, { pictures }) => sum + pictures.length, 0);
  const keep = async (): Promise<void> => {
    const what = draftProblem(draft.value);
    setWrong(what === undefined ? undefined : { of: draft.value, what });
    if (what !== undefined) return;
    const kept = await add({ files: labelledFiles(draft.value), name: title.trim(), kind: "pictures" });
    if (kept) draft.value = emptyDraft();
  };
  return (
    <div class="stack">
      <p class="small">
        Name what the network is to tell apart, and give it pictures of each: about 20 are a good start. They stay on
        this machine.
      </p>
      <FileDrop
        label="Choose a folder whose folders are the classes"
        folder
        onFiles={(files) => take(locatedFiles(files))}
        onDrop={(data) => void droppedFiles(data).then((files) => take(files))}
      >
        or drop folders here
      </FileDrop>
      {leftOut.value.length === 0 ? null : <LeftOut paths={leftOut.value} />}
      <div class="train-classes">
        {classes.map((one) => (
          <ClassCard key={one.id} one={one} draft={draft} onFiles={(files) => take(files, one.id)} />
        ))}
      </div>
      <div class="row">
        <Button
          onClick={() => {
            draft.value = withClass(draft.value).draft;
          }}
        >
          <Plus size={18} aria-hidden="true" />
          Another class
        </Button>
      </div>
      <Camera classes={classes} onSnap={(file, into) => take([{ path: "snap.jpg", file }], into)} />
      <Field label="Name of the set">
        {(ids) => (
          <input
            {...ids}
            type="text"
            value={title}
            maxLength={60}
            onInput={({ currentTarget }) => {
              draft.value = { ...draft.value, title: currentTarget.value };
            }}
          />
        )}
      </Field>
      {wrong?.of === draft.value ? (
        <Notice kind="error" title="Not enough to learn from">
          {wrong.what}
        </Notice>
      ) : null}
      <AddingState {...{ adding, add }} />
      <div class="row">
        <Button kind="primary" disabled={adding.state === "busy"} onClick={() => void keep()}>
          {count === 0 ? "Use these pictures" : `Use ${plural(count, "picture")}`}
        </Button>
      </div>
    </div>
  );
};

const LeftOut: FunctionComponent<{ readonly paths: readonly string[] }> = ({ paths }) => (
  <Notice kind="warning" title={`${plural(paths.length, "file")} left out`}>
    {paths.slice(0, 5).join(", ")}
    {paths.length > 5 ? " and others" : ""}: no pictures. Pictures are JPEG, PNG, WebP, GIF and what else this browser
    shows.
  </Notice>
);
