import type { FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Checkbox, FileDrop, Notice } from "../../../ui/index.js";
import { network, picture, refusal, seeing, seen, show } from "../session.js";
import { Camera } from "./camera.js";

/** A picture from a file or from the camera. */
export const PictureInput: FunctionComponent = () => {
  const [several, setSeveral] = useState(false);
  const take = (files: readonly File[]): void => {
    const [file] = files;
    setSeveral(files.length > 1);
    if (file !== undefined) show({ kind: "file", file, name: file.name });
  };
  const { value: shown } = picture;
  const { value: refused } = refusal;
  return (
    <div class="stack">
      <FileDrop label="Drop or choose a picture" accept="image/*" onFiles={take}>
        JPEG, PNG, WebP: it is read here and goes nowhere.
      </FileDrop>
      {several ? <Notice kind="info">The network looks at one picture: it was given the first.</Notice> : null}
      {refused === undefined ? null : (
        <Notice kind="error" title="The picture could not be read">
          {refused.message}. Choose a JPEG, PNG or WebP picture of at most 100 million pixels.
          {shown === undefined ? "" : " What was shown before stays."}
        </Notice>
      )}
      <Preview />
      {shown?.kind === "file" && network()?.input[0] === 1 ? (
        <Checkbox
          label="Swap light and dark: ink on paper, for a network that knows white on black"
          checked={shown.inverted === true}
          onChange={(inverted) => show({ ...shown, inverted })}
        />
      ) : null}
      <Camera onSnap={(file) => show({ kind: "file", file, name: "the snapshot" })} />
    </div>
  );
};

/** The whole picture, of which the network sees a part. */
const Preview: FunctionComponent = () => {
  const canvas = useRef<HTMLCanvasElement>(null);
  const preview = seen()?.preview;
  useEffect(() => {
    if (canvas.current === null || preview === undefined) return;
    Object.assign(canvas.current, { width: preview.width, height: preview.height });
    canvas.current.getContext("2d")?.drawImage(preview, 0, 0);
  }, [preview]);
  if (seeing.state.value.busy && preview === undefined) return <p class="quiet small">Reading the picture ...</p>;
  return preview === undefined ? null : (
    <canvas ref={canvas} class="try-preview" role="img" aria-label="The picture that you chose" />
  );
};
