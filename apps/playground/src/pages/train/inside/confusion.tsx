import type { FunctionComponent } from "preact";
import { formatNumber, formatPercent } from "../../../format.js";
import { Pixels } from "../../../ui/index.js";
import type { Confusion } from "../../../workers/train/api.js";
import { trainer } from "../../../workers/train/client.js";
import { confusionPicture, worstConfusions } from "./confusion-picture.js";
import { useLook } from "./look.js";
import { Looked } from "./looked.js";

/** Above this a table of numbers is no longer read. */
const mostInTable = 20;

/** What is taken for what. */
export const ConfusionTab: FunctionComponent = () => {
  const look = useLook(() => trainer().confusion(), "", "epochs");
  return <Looked look={look}>{(found) => <Found {...found} />}</Looked>;
};

const Found: FunctionComponent<Confusion> = (found) => {
  const { of, count, accuracy, classes, at } = found;
  return (
    <>
      <p class="small">
        {formatPercent(accuracy)} of {formatNumber(count)} {of} pictures are named right after step {formatNumber(at)}.
        Rows are what a picture shows, columns what it is taken for.
      </p>
      {classes.length <= mostInTable ? <Matrix {...found} /> : <LargeMatrix {...found} />}
    </>
  );
};

const Matrix: FunctionComponent<Confusion> = ({ classes, matrix, perClass }) => (
  <section class="table train-confusion" aria-label="Confusion matrix" {...{ tabIndex: 0 }}>
    <table>
      <thead>
        <tr>
          <th scope="col">shown</th>
          {classes.map((name) => (
            <th key={name} scope="col" class="number" title={`taken for ${name}`}>
              {name}
            </th>
          ))}
          <th scope="col" class="number">
            right
          </th>
        </tr>
      </thead>
      <tbody>
        {classes.map((name, row) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {classes.map((other, column) => (
              <Cell
                key={other}
                count={matrix[row * classes.length + column] as number}
                of={perClass[row]?.support ?? 0}
                right={row === column}
              />
            ))}
            <td class="number">{formatRecall(perClass[row]?.recall)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);

const formatRecall = (recall: number | undefined): string =>
  recall === undefined || Number.isNaN(recall) ? "none" : formatPercent(recall);

interface CellProps {
  readonly count: number;
  readonly of: number;
  readonly right: boolean;
}

/** The number, on a ground that is the stronger the larger its share of the row. */
const Cell: FunctionComponent<CellProps> = ({ count, of, right }) => {
  const share = of === 0 ? 0 : count / of;
  const colour = right ? "var(--good)" : "var(--bad)";
  // Numbers stay legible on it: at most two fifths of the colour, and a single mistake is seen.
  const strength = count === 0 ? 0 : right ? 8 + 27 * share : 10 + 30 * Math.min(1, 3 * share);
  return (
    <td
      class={`number ${count === 0 ? "quiet" : ""}`}
      style={{ background: `color-mix(in srgb, ${colour} ${strength}%, var(--surface))` }}
    >
      {count === 0 ? "·" : formatNumber(count)}
    </td>
  );
};

/** Of many classes the picture, and the worst in words. */
const LargeMatrix: FunctionComponent<Confusion> = (found) => {
  const side = found.classes.length;
  return (
    <div class="train-maps">
      <figure class="train-large-confusion">
        <Pixels
          label={`Confusion matrix of ${side} classes: darker is more of the row`}
          rgba={confusionPicture(found.matrix, side)}
          width={side}
          height={side}
        />
      </figure>
      <ol class="train-worst grow">
        {worstConfusions(found, 12).map(({ shown, taken, count }) => (
          <li key={`${shown} ${taken}`}>
            {shown} taken for {taken}: {formatNumber(count)}
          </li>
        ))}
      </ol>
    </div>
  );
};
