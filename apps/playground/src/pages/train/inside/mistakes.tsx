import type { FunctionComponent } from "preact";
import { formatNumber, formatPercent } from "../../../format.js";
import { Pixels } from "../../../ui/index.js";
import type { Mistakes } from "../../../workers/train/api.js";
import { trainer } from "../../../workers/train/client.js";
import { outline } from "../session/run.js";
import { useLook } from "./look.js";
import { Looked } from "./looked.js";

/** Pictures that are taken for something else, the surest mistakes first. */
export const MistakesTab: FunctionComponent = () => {
  const look = useLook(() => trainer().mistakes(40), "", "epochs");
  return <Looked look={look}>{(found) => <Found {...found} />}</Looked>;
};

const Found: FunctionComponent<Mistakes> = ({ of, total, count, mistakes, at }) => {
  const classes = outline.value?.data.classes ?? [];
  const name = (label: number): string => classes[label] ?? `${label}`;
  return (
    <>
      <p class="small">
        {total === 0 ? "None" : formatNumber(total)} of {formatNumber(count)} {of} pictures {total === 1 ? "is" : "are"}{" "}
        taken for something else after step {formatNumber(at)}
        {total > mistakes.length ? `; the ${mistakes.length} of which it is surest` : ""}.
      </p>
      <ul class="train-mistakes">
        {mistakes.map(({ index, picture, label, predicted, probability, right }) => (
          <li key={index}>
            <Pixels label={`A picture of ${name(label)}`} {...picture} />
            <span class="small figures">
              <strong>{name(predicted)}</strong> {formatPercent(probability)}
              <span class="quiet">
                is {name(label)}, {formatPercent(right)}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </>
  );
};
