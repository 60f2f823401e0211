import { formatBytes } from "@ocelli/inspect";
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { networks } from "../../store/listing.js";
import { Button } from "../../ui/index.js";

interface Use {
  readonly bytes: number | undefined;
  /** Whether the browser has promised to delete nothing by itself. */
  readonly persisted: boolean;
}

/** How much the site stores, and whether the browser may throw it away. */
export const StorageUse: FunctionComponent = () => {
  const [use, setUse] = useState<Use>();
  const [refused, setRefused] = useState(false);
  const look = (): void => void lookUp().then(setUse, () => setUse(undefined));
  useEffect(look, [networks.value]);
  if (use === undefined) return null;
  const keep = (): void =>
    void navigator.storage.persist().then(
      (granted) => {
        setRefused(!granted);
        look();
      },
      () => setRefused(true),
    );
  return (
    <div class="row spread small">
      <span class="quiet">
        {use.bytes === undefined ? "" : `This site stores ${formatBytes(use.bytes)} here, data and programs included. `}
        {use.persisted ? "The browser keeps it until you delete it." : "The browser may delete it when it needs room."}
      </span>
      {use.persisted ? null : <Button onClick={keep}>Ask the browser to keep it</Button>}
      <span role="status">
        {refused
          ? "The browser did not agree. It agrees to sites that one uses often or installs; until then, download what matters."
          : ""}
      </span>
    </div>
  );
};

async function lookUp(): Promise<Use> {
  const [{ usage }, persisted] = await Promise.all([navigator.storage.estimate(), navigator.storage.persisted()]);
  return { bytes: usage, persisted };
}
