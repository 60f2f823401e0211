import { Camera as CameraIcon } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useCamera } from "../../../ui/camera.js";
import { Button, Notice } from "../../../ui/index.js";

/** Snaps a picture. The camera is on from "Use the camera" to the snapshot, and off when the reader goes elsewhere. */
export const Camera: FunctionComponent<{ readonly onSnap: (picture: Blob) => void }> = ({ onSnap }) => {
  const { video, isOn, sees, problem, open, close, snap } = useCamera({ facingMode: "environment" });
  const place = useRef<HTMLDivElement>(null);
  const had = useRef(isOn);
  // The button that was pressed is gone: its successor has the focus, as soon as it can be pressed.
  useEffect(() => {
    if (isOn && !sees) return;
    if (had.current !== isOn) place.current?.querySelector("button")?.focus();
    had.current = isOn;
  }, [isOn, sees]);
  const take = async (): Promise<void> => {
    const picture = await snap();
    if (picture === undefined) return;
    onSnap(picture);
    close();
  };
  if (!isOn)
    return (
      <div ref={place} class="stack">
        <div>
          <Button onClick={open}>
            <CameraIcon size={16} aria-hidden="true" /> Use the camera
          </Button>
        </div>
        {problem === undefined ? null : (
          <Notice kind="warning" title="There is no camera to use">
            {problem}
          </Notice>
        )}
      </div>
    );
  return (
    <div ref={place} class="stack">
      <video ref={video} class="try-preview" aria-label="What the camera sees" autoPlay muted playsInline />
      <div class="row">
        <Button kind="primary" disabled={!sees} onClick={() => void take()}>
          Snap
        </Button>
        <Button onClick={close}>Cancel</Button>
      </div>
    </div>
  );
};
