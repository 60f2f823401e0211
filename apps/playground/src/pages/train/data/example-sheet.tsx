import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { plural } from "../../../format.js";
import { Notice, Pixels } from "../../../ui/index.js";
import type { DataExamples } from "../../../workers/train/api.js";
import { trainer } from "../../../workers/train/client.js";
import { chosenData, keyOfData } from "../session/draft.js";

/** Some pictures of each class. */
export const ExampleSheet: FunctionComponent = () => {
  const [examples, setExamples] = useState<DataExamples>();
  const [wrong, setWrong] = useState<string>();
  const data = chosenData.value;
  useEffect(() => {
    let gone = false;
    trainer()
      .examples({ data, perClass: 8 })
      .then(
        (found) => {
          if (gone) return;
          setExamples(found);
          setWrong(undefined);
        },
        (error: Error) => gone || setWrong(error.message),
      );
    return () => {
      gone = true;
    };
  }, [keyOfData(data)]);
  if (wrong !== undefined)
    return (
      <Notice kind="error" title="These data cannot be read">
        {wrong}
      </Notice>
    );
  if (examples === undefined) return null;
  const { train, test, classes: all } = examples.summary;
  const left = all.length - examples.classes.length;
  return (
    <div class="train-examples">
      <dl>
        {examples.classes.map(({ name, pictures }) => (
          <div key={name}>
            <dt title={name}>{name}</dt>
            <dd>
              {pictures.map((picture, i) => (
                <Pixels key={i} label="" {...picture} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <p class="small quiet">
        {left > 0 ? `And ${plural(left, "more class")}. ` : ""}
        {plural(train, "picture")} to learn from{test > 0 ? `, ${plural(test, "other")} to be tested by` : ""}.
      </p>
    </div>
  );
};
