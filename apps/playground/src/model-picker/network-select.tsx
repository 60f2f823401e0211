import type { ComponentChildren } from "preact";
import type { SavedNetwork } from "../store/networks.js";
import type { NetworkSource } from "../store/source.js";
import { Select } from "../ui/index.js";

interface NetworkSelectProps {
  readonly source: NetworkSource;
  /** Those that are kept; undefined: not listed yet. */
  readonly saved: readonly SavedNetwork[] | undefined;
  /** How a kept network is called; its title unless told otherwise. */
  readonly titleOf?: ((network: SavedNetwork) => string) | undefined;
  readonly hint: ComponentChildren;
  /** `digits`, `random`, or a kept network's id. */
  readonly onChoose: (name: string) => void;
}

/** A network with values: the one that the site brings along, any with random ones, or one of those kept in this browser. */
export function NetworkSelect({ source, saved, titleOf = ({ title }) => title, hint, onChoose }: NetworkSelectProps) {
  return (
    <Select
      label="Which one"
      value={source.kind === "saved" ? source.id : source.kind}
      choices={[
        { value: "digits", label: "LeNet-5, trained on digits" },
        { value: "random", label: "Any architecture, with random values" },
        ...(saved ?? []).map((network) => ({
          value: network.id,
          label: titleOf(network),
          group: "Kept in this browser",
        })),
        ...(source.kind === "saved" && saved?.some(({ id }) => id === source.id) !== true
          ? [{ value: source.id, label: saved === undefined ? "…" : "One that is no longer kept" }]
          : []),
      ]}
      hint={hint}
      onChange={onChoose}
    />
  );
}
