import type { FunctionComponent } from "preact";
import { Link } from "wouter-preact";
import { formatNumber, formatPercent } from "../../format.js";
import { ModelPicker } from "../../model-picker/model-picker.js";
import { NetworkSelect } from "../../model-picker/network-select.js";
import { currentModel } from "../../state.js";
import { networks } from "../../store/listing.js";
import { Figure, Figures, Notice, Panel } from "../../ui/index.js";
import type { Described } from "../../workers/export/api.js";
import { choose, source, takeModel } from "./session.js";

/** Which network is taken away. */
export const NetworkPanel: FunctionComponent<{ readonly described: Described | undefined }> = ({ described }) => {
  const { value: now } = source;
  return (
    <Panel title="Network">
      <NetworkSelect
        source={now}
        saved={networks.value}
        hint={
          <>
            Yours come from <Link href="/train">Train</Link>, or from a file that you bring along.
          </>
        }
        onChoose={choose}
      />
      {now.kind === "random" ? (
        <>
          <ModelPicker label="Architecture" value={currentModel.value} onChange={takeModel} />
          <Notice kind="warning">
            Its values are random, as before a training: files of it are good for trying out a program, and its answers
            mean nothing.
          </Notice>
        </>
      ) : null}
      {described === undefined ? null : <About described={described} />}
    </Panel>
  );
};

const About: FunctionComponent<{ readonly described: Described }> = ({ described: { card, parameters, pixels } }) => (
  <Figures>
    <Figure label="Parameters" value={formatNumber(parameters)} hint="Numbers that training changes" />
    <Figure label="Images" value={pixels.join(" × ")} hint="Channels, height and width in pixels" />
    <Figure label="Classes" value={card.classes.length} />
    <Figure
      label="Accuracy"
      value={card.accuracy === null ? "not known" : formatPercent(card.accuracy)}
      hint="On the images it was judged by"
    />
  </Figures>
);
