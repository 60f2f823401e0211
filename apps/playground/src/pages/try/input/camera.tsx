import { Camera as CameraIcon } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useCamera } from "../../../ui/camera.js";
import { Button, Notice } from "../../../ui/index.js";

/** Snaps a picture. The camera is on from "Use the camera" to the snapshot, and off when the reader goes elsewhere. */
export const Camera: FunctionComponent<{ readonly onSnap: (picture: Blob) => void }> = ({ onSnap }) => {
  const { video, isOn, problem, open, close, snap } = useCamera({ facingMode: "environment" });
  const take = async (): Promise<void> => {
    const picture = await snap();
    if (picture === undefined) return;
    onSnap(picture);
    close();
  };
  if (!isOn)
    return (
      <>
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
      </>
    );
  return (
    <div class="stack">
      <video ref={video} class="try-preview" aria-label="What the camera sees" autoPlay muted playsInline />
      <div class="row">
        <Button kind="primary" onClick={() => void take()}>
          Snap
        </Button>
        <Button onClick={close}>Cancel</Button>
      </div>
    </div>
  );
};
