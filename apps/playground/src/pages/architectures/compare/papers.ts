import type { Compared } from "@ocelli/inspect";
import type { BubbleDrawing } from "@ocelli/inspect/plot";

/** A paper whose networks are in the chart. */
export interface Paper {
  readonly citation: string;
  /** As its networks are called, and its year: "VGG 2015". */
  readonly title: string;
  readonly names: readonly string[];
}

/** In the order of their colours. */
export function papersOf(models: readonly Pick<Compared, "name" | "citation">[]): readonly Paper[] {
  const papers = new Map<string, string[]>();
  for (const { name, citation } of models) papers.set(citation, [...(papers.get(citation) ?? []), name]);
  return Array.from(papers, ([citation, names]) => ({ citation, names, title: titleOf(citation, names) }));
}

/** What tells the networks of a family apart: numbers of layers, versions, years. */
const member = /[ -]v?\d[\w.-]*|,.*| for .*| \(\d{4}\)| \([A-Z]\)/g;

function titleOf(citation: string, names: readonly string[]): string {
  const families = names.map((name) => name.replace(member, ""));
  const often = (one: string): number => families.filter((other) => other === one).length;
  const [most = "", ...others] = [...new Set(families)].sort((a, b) => often(b) - often(a));
  // "VGG BN" says no more than "VGG".
  const second = others.find((one) => !one.startsWith(most));
  const year = /\b(19|20)\d\d\b(?!.*\b(19|20)\d\d\b)/.exec(citation)?.[0];
  return [second === undefined ? most : `${most}, ${second}`, year].filter((part) => part !== undefined).join(" ");
}

/** Of the chart's own description, what is changed here. */
interface Bubble {
  readonly name: string;
  readonly value: readonly [operations: number, accuracy: number];
  readonly symbolSize: number;
  readonly itemStyle: Readonly<Record<string, unknown>>;
  readonly label: { readonly show: boolean };
}

interface Wanted {
  readonly papers: readonly Paper[];
  /** The paper whose networks stand out; undefined: all alike. */
  readonly front: Paper | undefined;
}

/** Narrower, not every name has room. */
const phone = 560;
const [phoneHeight, phoneSize] = [500, 0.7];

/** With one paper's networks before all others; on a phone taller, with smaller bubbles and only one name a paper: its most accurate network's. */
export function foreground(drawing: BubbleDrawing, { papers, front }: Wanted): BubbleDrawing {
  const narrow = drawing.width < phone;
  const [series] = drawing.option.series as readonly [{ readonly data: readonly Bubble[] }];
  const named = new Set(
    front?.names ?? (narrow ? papers.flatMap(({ names }) => best(series.data, names)) : drawing.names),
  );
  const data = series.data.map((bubble) => ({
    ...bubble,
    ...(narrow && { symbolSize: phoneSize * bubble.symbolSize }),
    ...(front?.names.includes(bubble.name) === false && { itemStyle: { ...bubble.itemStyle, opacity: 0.12 } }),
    label: { ...bubble.label, show: bubble.label.show && named.has(bubble.name) },
  }));
  return {
    ...drawing,
    ...(narrow && { height: phoneHeight }),
    option: { ...drawing.option, series: [{ ...series, data }] },
  };
}

/** The most accurate of those whose names have a place. */
function best(bubbles: readonly Bubble[], names: readonly string[]): readonly string[] {
  const own = bubbles.filter(({ name, label }) => label.show && names.includes(name));
  return own
    .sort((a, b) => b.value[1] - a.value[1])
    .slice(0, 1)
    .map(({ name }) => name);
}
