import * as Comlink from "comlink";
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatNumber, formatPercent } from "../../../format.js";
import { useNewest } from "../../../newest.js";
import { Button, Progress, Slider } from "../../../ui/index.js";
import type { LoadedNetwork, OnPixels, Seen } from "../../../workers/try/api.js";
import { Failure } from "../answer.js";
import type { About } from "../asked.js";
import { seen, worker } from "../session.js";
import { ClassChooser } from "./choosers.js";
import { Overlay } from "./overlay.js";
import { explained } from "./state.js";

/** Pixels from one patch to the next: the default of `occlusion`. */
const strideOf = (size: number): number => Math.max(1, Math.floor(size / 2));

const passes = ([, height, width]: Seen["shape"], size: number): number =>
  [height, width].reduce((product, length) => product * (Math.ceil((length - size) / strideOf(size)) + 1), 1);

export const Occlusion: FunctionComponent<{ readonly network: LoadedNetwork }> = ({ network }) => {
  const [, height, width] = network.input;
  const side = Math.min(height, width);
  const [size, setSize] = useState(Math.max(1, Math.round(side / 7)));
  const [share, setShare] = useState(0);
  const newest = useNewest<About<OnPixels>>();
  const now = seen() as Seen;
  // Another picture, another answer: what is under way is about the old one.
  useEffect(() => {
    newest.clear();
    return () => void worker().cancelOcclusion();
  }, [now]);
  const { value, busy, error } = newest.state.value;
  const start = (): void => {
    setShare(0);
    const question = { classIndex: explained.value, size };
    newest.ask(async () => ({
      seen: now,
      answer: await worker().occlusion(now.key, now.pixels, question, Comlink.proxy(setShare)),
    }));
  };
  return (
    <div class="try-parts">
      <div class="stack">
        <ClassChooser network={network} />
        <Slider
          label="Patch"
          value={size}
          min={1}
          max={Math.max(1, Math.floor(side / 2))}
          shown={`${size} px`}
          hint={`${formatNumber(passes(now.shape, size))} passes, ${strideOf(size)} pixels from one patch to the next`}
          onChange={setSize}
        />
        {busy ? (
          <>
            <Progress label="Hiding one place after the other" share={share} detail={`${Math.round(100 * share)} %`} />
            <div>
              <Button onClick={() => void worker().cancelOcclusion()}>Cancel</Button>
            </div>
          </>
        ) : (
          <div>
            <Button kind="primary" onClick={start}>
              Hide one place after the other
            </Button>
          </div>
        )}
        {error?.name === "AbortError" ? <p class="quiet small">Cancelled.</p> : <Failure error={error} />}
        {value === undefined ? null : <Summary network={network} answer={value.answer} />}
      </div>
      <div class="try-picture">
        {value === undefined ? null : (
          <Overlay
            label={`Probability of ${network.classes[value.answer.classIndex]} that is lost where the patch hides the picture`}
            seen={value.seen}
            heat={value.answer.values}
          />
        )}
      </div>
    </div>
  );
};

const Summary: FunctionComponent<{ readonly network: LoadedNetwork; readonly answer: OnPixels }> = ({
  network,
  answer: { classIndex, score, values },
}) => {
  const lost = values.reduce((most, value) => Math.max(most, value), 0);
  return (
    <p class="small quiet figures" role="status">
      In the whole picture, class <strong>{network.classes[classIndex]}</strong> has {formatPercent(score)}. Hiding the
      place that matters most costs {(100 * lost).toFixed(1)} points.
    </p>
  );
};
