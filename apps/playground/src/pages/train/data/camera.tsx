import { Camera as CameraIcon, CameraOff } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { useCamera } from "../../../ui/camera.js";
import { Button, Notice, Select } from "../../../ui/index.js";
import type { DraftClass } from "./pictures-draft.js";

interface CameraProps {
  readonly classes: readonly DraftClass[];
  readonly onSnap: (file: Blob, into: number) => void;
}

/** Pictures of what the camera sees, snapped into a class. */
export const Camera: FunctionComponent<CameraProps> = ({ classes, onSnap }) => {
  const { video, isOn, sees, problem, open, close, snap } = useCamera({
    width: { ideal: 640 },
    height: { ideal: 480 },
  });
  const [chosen, setChosen] = useState<number>();
  const into = classes.find(({ id }) => id === chosen) ?? classes[0];
  const take = async (): Promise<void> => {
    const picture = await snap(true);
    if (picture !== undefined && into !== undefined) onSnap(picture, into.id);
  };
  return (
    <div class="train-camera stack">
      {!isOn ? (
        <div class="row">
          <Button onClick={open}>
            <CameraIcon size={18} aria-hidden="true" />
            Use the camera
          </Button>
        </div>
      ) : (
        <>
          <video ref={video} autoPlay muted playsInline aria-label="What the camera sees" />
          <div class="row">
            <Select
              label="Into class"
              value={`${into?.id ?? ""}`}
              choices={classes.map(({ id, name }) => ({ value: `${id}`, label: name }))}
              onChange={(id) => setChosen(Number(id))}
            />
            <Button kind="primary" disabled={!sees} onClick={() => void take()}>
              <CameraIcon size={18} aria-hidden="true" />
              Snap
            </Button>
            <Button onClick={close}>
              <CameraOff size={18} aria-hidden="true" />
              Close the camera
            </Button>
          </div>
        </>
      )}
      {problem === undefined ? null : (
        <Notice kind="warning" title="No camera">
          {problem}
        </Notice>
      )}
    </div>
  );
};
