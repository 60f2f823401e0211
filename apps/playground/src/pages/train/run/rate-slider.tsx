import type { FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button, Slider } from "../../../ui/index.js";
import { setRate } from "../session/run.js";

/** Places on the slider are powers of 10: from a hundredth to ten times the schedule's rate. */
const [lowest, highest] = [-2, 1];

export const factorText = (factor: number): string =>
  factor === 1 ? "as planned" : `${factor >= 1 ? Number(factor.toPrecision(2)) : Number(factor.toPrecision(1))} ×`;

/** The schedule's learning rate times a factor, while it runs. */
export const RateSlider: FunctionComponent<{ readonly factor: number }> = ({ factor }) => {
  const [place, setPlace] = useState(Math.log10(factor));
  const timer = useRef<ReturnType<typeof setTimeout>>();
  useEffect(() => setPlace(Math.log10(factor)), [factor]);
  const move = (to: number): void => {
    setPlace(to);
    clearTimeout(timer.current);
    // Where it comes to rest is what counts, not each place that it passes.
    timer.current = setTimeout(() => void setRate(to === 0 ? 1 : 10 ** to), 150);
  };
  return (
    <div class="row train-rate">
      <div class="grow">
        <Slider
          label="Learning rate from now on, times what is planned"
          value={place}
          min={lowest}
          max={highest}
          step={0.1}
          shown={factorText(Math.abs(place) < 0.05 ? 1 : 10 ** place)}
          onChange={(to) => move(Math.abs(to) < 0.05 ? 0 : to)}
        />
      </div>
      {factor === 1 ? null : (
        <Button kind="quiet" onClick={() => move(0)}>
          Back to the plan
        </Button>
      )}
    </div>
  );
};
