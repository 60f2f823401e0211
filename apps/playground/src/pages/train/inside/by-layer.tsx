import type { StatisticsRows } from "@ocelli/training";
import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import { formatNumber } from "../../../format.js";
import { Checkbox } from "../../../ui/index.js";
import { trainer } from "../../../workers/train/client.js";
import { Bars } from "./bars.js";
import { useLook } from "./look.js";
import { Looked } from "./looked.js";

/** How large gradients and outputs are from the first layer to the last: where learning starves or explodes. */
export const ByLayer: FunctionComponent = () => {
  const look = useLook(() => trainer().gradients(), "", "steps");
  return <Looked look={look}>{(found) => <Statistics {...found} />}</Looked>;
};

const Statistics: FunctionComponent<StatisticsRows & { readonly at: number }> = ({ parameters, activations, at }) => {
  const [vectors, setVectors] = useState(false);
  const shown = parameters.filter(({ name }) => vectors || name.endsWith("weight"));
  return (
    <>
      <Checkbox label="Biases too" checked={vectors} onChange={setVectors} />
      <div class="train-bars-pair">
        <Bars
          title="Gradients"
          about="Norm of the loss's gradient: how much each layer would learn from a batch."
          rows={shown.map(({ name, gradient }) => ({ name, value: gradient }))}
        />
        <Bars
          title="Updates"
          about="What a step changes, as a share of the parameters. About a thousandth is common."
          rows={shown.map(({ name, update }) => ({ name, value: update }))}
        />
        <Bars
          title="Outputs"
          about="Standard deviation of what each layer hands on; in brackets the share that is 0."
          rows={activations.map(({ path, std, zeros }) => ({
            name: path === "" ? "output" : path,
            value: std,
            note: zeros > 0.005 ? `(${Math.round(100 * zeros)} % are 0)` : "",
          }))}
        />
      </div>
      <p class="small quiet figures">
        Of one batch, as the step after {formatNumber(at)} would see it. Bars are logarithmic.
      </p>
    </>
  );
};
