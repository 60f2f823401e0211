import { Dices } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { plural } from "../../../format.js";
import { Button, Notice, Panel, Pixels, Select } from "../../../ui/index.js";
import type { Picture } from "../../../workers/train/api.js";
import { trainer } from "../../../workers/train/client.js";
import { change, changes, plan } from "../session/draft.js";
import { presetChoices, presetText } from "./presets.js";

/** What is done to pictures by chance, and how one of them looks then. */
export const AugmentPanel: FunctionComponent = () => {
  const [seed, setSeed] = useState(0);
  const made = plan.value;
  if (made === undefined) return null;
  const augment = changes.value.augment ?? made.training.augment;
  return (
    <Panel
      title="Augmentation"
      aside={
        <Button kind="quiet" onClick={() => setSeed(seed + 1)}>
          <Dices size={18} aria-hidden="true" />
          New chances
        </Button>
      }
    >
      <Select
        label="Pictures are changed by chance, in the manner of"
        hint={presetText(augment)}
        value={augment}
        choices={presetChoices}
        onChange={(name) => change({ augment: name })}
      />
      <Preview {...{ augment, seed }} />
    </Panel>
  );
};

interface PreviewProps {
  readonly augment: string;
  readonly seed: number;
}

const Preview: FunctionComponent<PreviewProps> = ({ augment, seed }) => {
  const [pictures, setPictures] = useState<readonly Picture[]>([]);
  const [wrong, setWrong] = useState<string>();
  const made = plan.value;
  // The data that the plan's network was made for: others may have been chosen since.
  const about = { spec: made?.spec, data: made?.training.data };
  const key = JSON.stringify([about, augment, seed]);
  useEffect(() => {
    const { spec, data } = about;
    if (spec === undefined || data === undefined) return;
    let gone = false;
    trainer()
      // Where nothing is by chance, all would be alike.
      .augmentPreview({ spec, data, augment, seed, count: augment === "plain" ? 1 : 11 })
      .then(
        (drawn) => {
          if (gone) return;
          setPictures(drawn);
          setWrong(undefined);
        },
        (error: Error) => gone || setWrong(error.message),
      );
    return () => {
      gone = true;
    };
  }, [key]);
  if (wrong !== undefined)
    return (
      <Notice kind="warning" title="No preview">
        {wrong}
      </Notice>
    );
  return (
    <div
      class="train-augmented"
      role="img"
      aria-label={
        pictures.length === 0
          ? "Pictures on their way"
          : `One picture as it is, and ${plural(pictures.length - 1, "time")} as the network is shown it`
      }
    >
      {pictures.map((picture, i) => (
        <Pixels key={i} label="" {...picture} />
      ))}
    </div>
  );
};
