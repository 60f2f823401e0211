import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { Link } from "wouter-preact";
import { formatNumber } from "../../format.js";
import type { ModelSpec } from "../../model/spec.js";
import { ModelPicker } from "../../model-picker/model-picker.js";
import { NetworkSelect } from "../../model-picker/network-select.js";
import { currentModel, currentNetwork } from "../../state.js";
import { followNetworks, networks, savedSource, storageProblem } from "../../store/listing.js";
import { Button, Figure, Figures, Notice, Panel, Spinner } from "../../ui/index.js";
import type { LoadedNetwork } from "../../workers/try/api.js";
import { builtIn, choose, crash, device, loading, restart, source } from "./session.js";

/** Which network is asked, and what there is to know of it. */
export const NetworkPanel: FunctionComponent = () => {
  const { value, busy, error } = loading.state.value;
  return (
    <Panel title="Network">
      <div class="try-network">
        <Chooser />
        <div class="stack" aria-live="polite">
          {busy ? <Spinner label="Getting the network ready" /> : null}
          {value === undefined || busy ? null : (
            <>
              <About network={value} />
              <Gone title={value.title} />
            </>
          )}
        </div>
      </div>
      {error === undefined && crash.value === undefined ? null : (
        <Notice
          kind="error"
          title="The network cannot be used"
          actions={
            <>
              <Button onClick={restart}>Start again</Button>
              {source.value.kind === "digits" ? null : (
                <Button onClick={() => choose(builtIn)}>Take the one for digits</Button>
              )}
            </>
          }
        >
          <pre>{error?.message ?? crash.value}</pre>
        </Notice>
      )}
    </Panel>
  );
};

const Chooser: FunctionComponent = () => {
  const { value: problem } = storageProblem;
  useEffect(() => {
    const wanted = currentNetwork.peek();
    const { value: chosen } = source;
    if (wanted !== undefined && !(chosen.kind === "saved" && chosen.id === wanted)) choose(savedSource(wanted));
    return followNetworks();
  }, []);
  const { value: now } = source;
  const take = (name: string): void => {
    const isKept = name !== "digits" && name !== "random";
    currentNetwork.value = isKept ? name : undefined;
    if (isKept) choose(savedSource(name));
    else choose(name === "digits" ? builtIn : { kind: "random", spec: currentModel.value });
  };
  return (
    <div class="stack">
      <NetworkSelect
        source={now}
        saved={networks.value}
        titleOf={({ title, source: from }) => `${title} (${from})`}
        hint={
          problem === undefined ? (
            <>
              Yours come from <Link href="/train">Train</Link> or are brought along on{" "}
              <Link href="/take-away">Take it away</Link>.
            </>
          ) : (
            `Kept networks cannot be listed: ${problem}`
          )
        }
        onChoose={take}
      />
      {now.kind === "random" ? <RandomChooser /> : null}
    </div>
  );
};

/** Somebody deleted the network that is loaded: on another page, or in another tab. */
const Gone: FunctionComponent<{ readonly title: string }> = ({ title }) => {
  const { value: now } = source;
  const { value: all } = networks;
  const isThere = now.kind !== "saved" || all === undefined || all.some(({ id }) => id === now.id);
  return isThere || storageProblem.value !== undefined ? null : (
    <Notice kind="warning" title={`${title} is no longer kept in this browser`}>
      It was deleted elsewhere. Here it still answers, until another network is chosen or the page is closed.
    </Notice>
  );
};

const RandomChooser: FunctionComponent = () => {
  const spec = currentModel.value;
  const take = (changed: ModelSpec): void => {
    currentModel.value = changed;
    choose({ kind: "random", spec: changed });
  };
  return <ModelPicker label="Architecture" value={spec} onChange={take} />;
};

const About: FunctionComponent<{ readonly network: LoadedNetwork }> = ({ network }) => {
  const [channels, height, width] = network.input;
  const { value: report } = device;
  return (
    <>
      <Figures>
        <Figure label="Parameters" value={formatNumber(network.parameters)} />
        <Figure
          label="Takes"
          value={`${channels} × ${height} × ${width}`}
          hint="Channels, height and width in pixels"
        />
        <Figure label="Classes" value={network.classes.length} />
        {report === undefined ? null : (
          <Figure label="Computes on" value={<span class="try-adapter">{report.adapter}</span>} hint={report.why} />
        )}
      </Figures>
      {network.kind === "random" ? (
        <Notice kind="warning">
          Its values are random, as before a training: its answers mean nothing, and what its layers show is what chance
          makes of a picture.
        </Notice>
      ) : null}
      {network.accuracy === undefined ? null : <p class="quiet small">It is right on {network.accuracy}.</p>}
    </>
  );
};
