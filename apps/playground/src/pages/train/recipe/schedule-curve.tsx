import type { FunctionComponent } from "preact";
import { formatRate } from "../../../format.js";

interface ScheduleCurveProps {
  /** Learning rates, evenly over the run. */
  readonly rates: readonly number[];
  readonly epochs: number;
}

const width = 240;
const height = 56;

/** The learning rate over the run, small. */
export const ScheduleCurve: FunctionComponent<ScheduleCurveProps> = ({ rates, epochs }) => {
  const highest = Math.max(...rates);
  const last = rates.at(-1) ?? 0;
  const at = (rate: number, i: number): string =>
    `${(i / Math.max(1, rates.length - 1)) * width} ${height * (1 - rate / (highest || 1))}`;
  return (
    <figure class="train-schedule">
      <svg
        viewBox={`0 -3 ${width} ${height + 6}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Learning rate over ${epochs} epochs: at most ${formatRate(highest)}, ${formatRate(last)} at the end`}
      >
        <path class="train-schedule-ground" d={`M0 ${height}H${width}`} vector-effect="non-scaling-stroke" />
        <path d={`M${rates.map(at).join("L")}`} vector-effect="non-scaling-stroke" />
      </svg>
      <figcaption class="row spread small quiet figures" aria-hidden="true">
        <span>at most {formatRate(highest)}</span>
        <span>{formatRate(last)} at the end</span>
      </figcaption>
    </figure>
  );
};
