import { formatBytes } from "@ocelli/inspect";
import { Trash2 } from "lucide-preact";
import type { FunctionComponent } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { plural } from "../../../format.js";
import type { DataSpec } from "../../../model/training.js";
import { IconButton, Notice } from "../../../ui/index.js";
import type { StoredData } from "../../../workers/train/api.js";
import { trainer } from "../../../workers/train/client.js";
import { Confirm } from "../confirm.js";
import { chosenData, dataSets, digitsData, keyOfData, refreshDataSets } from "../session/draft.js";
import { isActive, outline, stopRun } from "../session/run.js";

/** The sets that there are, one of which is chosen. */
export const DataList: FunctionComponent = () => {
  const name = useId();
  const [wrong, setWrong] = useState<string>();
  useEffect(() => void refreshDataSets(), []);
  const remove = async (set: StoredData): Promise<void> => {
    setWrong(undefined);
    try {
      // One that is over holds its data only to be looked into.
      const used = outline.value !== null && keyOfData(outline.value.training.data) === `stored:${set.name}`;
      if (used && !isActive.value) await stopRun();
      await trainer().deleteData(set.name);
      if (keyOfData(chosenData.value) === `stored:${set.name}`) chosenData.value = digitsData;
    } catch (error) {
      setWrong((error as Error).message);
    }
    await refreshDataSets();
  };
  return (
    <fieldset class="train-sets">
      <legend class="visually-hidden">Data that are learnt from</legend>
      <Option {...{ name }} data={digitsData} title="Handwritten digits" about="10 classes, made on the spot" />
      {dataSets.value.map((set) => (
        <div key={set.name} class="row spread">
          <Option {...{ name }} data={{ kind: "stored", name: set.name }} title={set.title} about={describe(set)} />
          <Confirm question={`Delete ${set.title}?`} yes="Delete" onYes={() => void remove(set)}>
            {(ask) => (
              <IconButton label={`Delete ${set.title}`} onClick={ask}>
                <Trash2 size={18} aria-hidden="true" />
              </IconButton>
            )}
          </Confirm>
        </div>
      ))}
      {wrong === undefined ? null : (
        <Notice kind="error" title="It was not deleted">
          {wrong}
        </Notice>
      )}
    </fieldset>
  );
};

export function describe({ classes, counts, test, bytes, kept }: StoredData): string {
  const images = counts.reduce((sum, count) => sum + count, test);
  const where = kept ? `${formatBytes(bytes)} in this browser` : "until the page is closed";
  return `${classes.length} classes, ${plural(images, "picture")}, ${where}`;
}

interface OptionProps {
  readonly name: string;
  readonly data: DataSpec;
  readonly title: string;
  readonly about: string;
}

const Option: FunctionComponent<OptionProps> = ({ name, data, title, about }) => (
  <label class="train-set grow">
    <input
      type="radio"
      name={name}
      checked={keyOfData(chosenData.value) === keyOfData(data)}
      onChange={() => {
        chosenData.value = data;
      }}
    />
    <span>
      <span>{title}</span>
      <span class="small quiet">{about}</span>
    </span>
  </label>
);
