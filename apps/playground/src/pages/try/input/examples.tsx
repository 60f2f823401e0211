import { Shuffle } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { greyPicture, type Picture } from "../../../model/pictures.js";
import { Button, Pixels } from "../../../ui/index.js";
import { device, show, worker } from "../session.js";
import { type Scene, sceneFile, scenePicture, scenes } from "./scenes.js";

/** Digits of the built-in data, and pictures that a few lines of code make. */
export const Examples: FunctionComponent = () => (
  <div class="stack">
    <Digits />
    <h3>Pictures made in code</h3>
    <div class="try-examples wide">
      {scenes.map((scene) => (
        <SceneButton key={scene.name} scene={scene} />
      ))}
    </div>
  </div>
);

const Digits: FunctionComponent = () => {
  const [seed, setSeed] = useState(0);
  const [digits, setDigits] = useState<readonly Uint8Array[]>([]);
  useEffect(() => {
    let gone = false;
    void worker()
      .exampleDigits(seed)
      .then((made) => {
        if (!gone) setDigits(made);
      });
    return () => {
      gone = true;
    };
    // A worker that was ended answers no more: the next one is asked.
  }, [seed, device.value]);
  const pictures = useMemo(
    () => digits.map((pixels) => ({ pixels, picture: greyPicture(pixels, [28, 28], { min: 0, max: 255 }) })),
    [digits],
  );
  return (
    <>
      <div class="row spread">
        <h3>Digits</h3>
        <Button kind="quiet" onClick={() => setSeed(seed + 1)}>
          <Shuffle size={16} aria-hidden="true" /> Others
        </Button>
      </div>
      <div class="try-examples">
        {pictures.map(({ pixels, picture }, digit) => (
          <Example
            key={digit}
            name={`The digit ${digit}`}
            picture={picture}
            onChoose={() => show({ kind: "grey", pixels, drawn: false })}
          />
        ))}
      </div>
    </>
  );
};

/** Pixels of its side. */
const thumbnail = 64;

const SceneButton: FunctionComponent<{ readonly scene: Scene }> = ({ scene }) => {
  const picture = useMemo(() => scenePicture(scene, thumbnail), [scene]);
  const choose = async (): Promise<void> => show({ kind: "file", file: await sceneFile(scene), name: scene.name });
  return <Example name={scene.name} picture={picture} onChoose={() => void choose()} />;
};

interface ExampleProps {
  readonly name: string;
  readonly picture: Picture;
  readonly onChoose: () => void;
}

const Example: FunctionComponent<ExampleProps> = ({ name, picture, onChoose }) => (
  <button type="button" class="try-example" aria-label={name} title={name} onClick={onChoose}>
    <Pixels label="" {...picture} />
  </button>
);
