import type { FunctionComponent } from "preact";
import { useId } from "preact/hooks";
import { barShares } from "./bar-shares.js";

interface BarsProps {
  readonly title: string;
  readonly about: string;
  readonly rows: readonly { readonly name: string; readonly value: number; readonly note?: string | undefined }[];
}

/** Numbers of layers as bars of a logarithmic scale, with the numbers beside them. */
export const Bars: FunctionComponent<BarsProps> = ({ title, about, rows }) => {
  const id = useId();
  const shares = barShares(rows.map(({ value }) => value));
  return (
    <div class="train-bars">
      <h3 id={id}>{title}</h3>
      <p class="small quiet">{about}</p>
      <section class="train-bars-scroll" aria-labelledby={id} {...{ tabIndex: 0 }}>
        <table class="small">
          <tbody>
            {rows.map(({ name, value, note }, i) => (
              <tr key={name}>
                <th scope="row" class="mono">
                  {name}
                </th>
                <td class="train-bar">
                  <span style={{ width: `${100 * (shares[i] as number)}%` }} />
                </td>
                <td class="number">
                  {formatSmall(value)}
                  {note === undefined || note === "" ? "" : ` ${note}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
};

const formatSmall = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e4) ? value.toExponential(1) : value.toPrecision(3);
