import { modelEntry, modelNames } from "@ocelli/zoo";
import { displayName } from "../model/display-name.js";
import { families } from "../model/families.js";
import type { LayersSpec, ModelSpec } from "../model/spec.js";

/** A network that can be chosen. */
export interface PickerEntry {
  readonly id: string;
  readonly title: string;
  /** What code calls it; left out: nothing in particular. */
  readonly code?: string;
  /** One line below the title. */
  readonly about: string;
  /** Whose entries stand together: a paper. */
  readonly group: string;
  readonly spec: ModelSpec;
}

/** What a chain begins as: small, and good at digits. */
export const firstChain: LayersSpec = {
  kind: "layers",
  name: "My network",
  input: [1, 28, 28],
  numClasses: 10,
  layers: [
    { of: "conv", options: { channels: 16, kernelSize: 3, stride: 1, padding: 1 } },
    { of: "batch-norm", options: {} },
    { of: "relu", options: {} },
    { of: "max-pool", options: { kernelSize: 2, stride: 2 } },
    { of: "residual", options: { channels: 32, stride: 2 } },
    { of: "global-pool", options: {} },
  ],
};

const own: PickerEntry = {
  id: "layers",
  title: "A chain of your own",
  about: "Layers and blocks, one after the other",
  group: "Your own",
  spec: firstChain,
};

/** All networks by paper, in the order of the field's history; a paper's families before its models. */
export const pickerEntries: readonly PickerEntry[] = [own, ...byPaper()];

function byPaper(): PickerEntry[] {
  const groups = new Map<string, PickerEntry[]>();
  for (const name of modelNames) {
    const { citation, summary } = modelEntry(name);
    const group = groups.get(citation) ?? familiesOf(citation);
    group.push({
      id: `zoo ${name}`,
      title: displayName(name),
      code: name,
      about: summary,
      group: citation,
      spec: { kind: "zoo", name },
    });
    groups.set(citation, group);
  }
  return [...groups.values()].flat();
}

function familiesOf(citation: string): PickerEntry[] {
  const own = families.filter((family) => family.kin.citation === citation);
  return own.map(({ name, title, fields }) => ({
    id: `family ${name}`,
    title: `${title}, any size`,
    about: fields.map(({ label }) => label.toLowerCase()).join(", "),
    group: citation,
    spec: { kind: "family", family: name, values: {} },
  }));
}

/** The entry that a network was chosen by. */
export const entryIdOf = (spec: ModelSpec): string =>
  spec.kind === "zoo" ? `zoo ${spec.name}` : spec.kind === "family" ? `family ${spec.family}` : own.id;

const bare = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "");

/** Entries that have all words of `query` in a name, line or paper; `resnet 18`, `ResNet-18` and `resnet18` are one. */
export function searchEntries(query: string, entries: readonly PickerEntry[] = pickerEntries): PickerEntry[] {
  const words = query
    .split(/\s+/)
    .map(bare)
    .filter((word) => word !== "");
  const whole = bare(query);
  return entries.filter(({ title, code = "", about, group }) => {
    const text = bare(`${title} ${code} ${about} ${group}`);
    return text.includes(whole) || words.every((word) => text.includes(word));
  });
}

/** The one of several that a query names, else the first. */
export function bestEntry(query: string, found: readonly PickerEntry[]): PickerEntry | undefined {
  const whole = bare(query);
  return found.find(({ title, code = title }) => bare(title) === whole || bare(code) === whole) ?? found[0];
}
