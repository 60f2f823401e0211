import type { FunctionComponent } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { formatPercent } from "../../format.js";
import { imagePicture } from "../../model/pictures.js";
import { Button, Notice, Panel, Pixels, Spinner } from "../../ui/index.js";
import type { Answer as AnswerOf, LoadedNetwork, Seen } from "../../workers/try/api.js";
import { useAsked } from "./asked.js";
import { loading, network, picture, restart, seeing, seen } from "./session.js";

/** What the network sees, and what it says. */
export const Answer: FunctionComponent = () => {
  const now = seen();
  const asked = useAsked((api, { key, pixels }) => api.answer(key, pixels), []);
  const loaded = network();
  const { error } = seeing.state.value;
  return (
    <Panel title="Answer" class="try-answer" aside={<Time answer={asked.value?.answer} />}>
      {error === undefined || saidElsewhere.includes(error.name) ? null : (
        <Notice kind="error" title="The network cannot be shown this picture">
          {error.message}
        </Notice>
      )}
      <Failure error={asked.error} />
      <div class="try-answer-parts">
        <View seen={now} loaded={loaded} />
        <Ranking answer={now === undefined ? undefined : asked.value?.answer} loaded={loaded} busy={asked.busy} />
      </div>
    </Panel>
  );
};

/** A file that is no picture, where it was chosen; of a network that was exchanged meanwhile there is nothing to say. */
const saidElsewhere: readonly string[] = ["FormatError", "StaleError"];

const Time: FunctionComponent<{ readonly answer: AnswerOf | undefined }> = ({ answer }) =>
  answer?.milliseconds === undefined ? null : (
    <span class="quiet small figures">in {Math.max(1, Math.round(answer.milliseconds))} ms</span>
  );

/** Why the device gave no answer, and the way on. */
export const Failure: FunctionComponent<{ readonly error: Error | undefined }> = ({ error }) =>
  error === undefined ? null : (
    <Notice
      kind="error"
      title={error.name === "DeviceLostError" ? "The device that computes was lost" : "There is no answer"}
      actions={<Button onClick={restart}>Start again</Button>}
    >
      <pre>{error.message}</pre>
    </Notice>
  );

/** How what is shown was made fit. */
function fitting({ value }: typeof picture, loaded: LoadedNetwork | undefined): string | undefined {
  if (value?.kind !== "grey") return loaded?.preparation.cut;
  const digit = value.drawn
    ? "White on black, the longer side 20 of 28 pixels, the centre of mass in the middle: as MNIST has its digits."
    : "Of the built-in digits: 28 × 28, white on black.";
  const [channels, height, width] = loaded?.input ?? [];
  return loaded === undefined || (channels === 1 && height === 28 && width === 28)
    ? digit
    : `${digit} ${loaded.preparation.cut}`;
}

interface ViewProps {
  readonly seen: Seen | undefined;
  readonly loaded: LoadedNetwork | undefined;
}

const View: FunctionComponent<ViewProps> = ({ seen: now, loaded }) => {
  const shown = useMemo(() => (now === undefined ? undefined : imagePicture(now.pixels, now.shape)), [now]);
  return (
    <figure class="try-view">
      {shown === undefined ? (
        <div class="try-nothing" />
      ) : (
        <Pixels label={`What the network sees: ${shown.width} × ${shown.height} pixels`} {...shown} />
      )}
      <figcaption class="small quiet">
        <strong>What the network sees.</strong> {fitting(picture, loaded)} {loaded?.preparation.pixels}
      </figcaption>
    </figure>
  );
};

interface RankingProps {
  readonly answer: AnswerOf | undefined;
  readonly loaded: LoadedNetwork | undefined;
  /** Whether an answer is on its way. */
  readonly busy: boolean;
}

const Ranking: FunctionComponent<RankingProps> = ({ answer, loaded, busy }) => {
  const name = (index: number): string => loaded?.classes[index] ?? "";
  const [best] = answer?.top ?? [];
  const said = best === undefined ? "" : `${name(best.index)}, ${formatPercent(best.probability)}`;
  return (
    <div class="try-ranking">
      {answer === undefined || best === undefined ? (
        <Waiting busy={busy} />
      ) : (
        <>
          <p class="try-best figures">
            <strong>{name(best.index)}</strong> <span class="quiet">{formatPercent(best.probability)}</span>
          </p>
          <ol aria-label="The most probable classes" class="figures">
            {answer.top.map(({ index, probability }) => (
              <li key={index}>
                <span class="try-class">{name(index)}</span>
                <span class="try-bar" aria-hidden="true">
                  <span style={{ width: `${100 * probability}%` }} />
                </span>
                <span>{formatPercent(probability)}</span>
              </li>
            ))}
          </ol>
          <p class="small quiet">
            Probabilities of all classes add up to 100 %. A network has no class for what it does not know: it always
            names one.
          </p>
        </>
      )}
      <Spoken text={said} />
    </div>
  );
};

/** What stands where the answer will be. */
const Waiting: FunctionComponent<{ readonly busy: boolean }> = ({ busy }) => {
  if (busy) return <Spinner label="The network looks at it, which takes longest the first time" />;
  return (
    <p class="quiet">
      {loading.state.value.busy ? "The network is on its way." : "Draw something, or choose a picture."}
    </p>
  );
};

/** Read out once it has stood for a moment: while somebody draws, every stroke changes it. */
const Spoken: FunctionComponent<{ readonly text: string }> = ({ text }) => {
  const [spoken, setSpoken] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSpoken(text), 900);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="visually-hidden" role="status">
      {spoken === "" ? "" : `The network says ${spoken}`}
    </p>
  );
};
