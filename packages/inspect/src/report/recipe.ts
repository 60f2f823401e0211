import { escapeMarkup } from "../markup.js";
import type { Fact, Part, RunReport } from "./run-report.js";
import { optionName, optionText, type Section } from "./words.js";

/** Parts inside parts inside parts ...: no recipe goes as far. */
const deepest = 6;

/** What was trained, where, and how: names beside values. */
export function recipe({ facts = [], parts = [] }: Pick<RunReport, "facts" | "parts">): Section | undefined {
  const rows = [
    ...facts.map(([name, value]: Fact) => [name, escapeMarkup(value)] as const),
    ...parts.map(([title, part]) => [title, partMarkup(part, deepest)] as const),
  ];
  if (rows.length === 0) return undefined;
  const list = rows.map(([name, value]) => `<div><dt>${escapeMarkup(name)}</dt><dd>${value}</dd></div>`).join("\n");
  return { id: "recipe", title: "The run", body: `<dl class="facts">\n${list}\n</dl>` };
}

const isPart = (value: unknown): value is Part =>
  typeof (value as Part | null)?.name === "string" && typeof (value as Part).options === "object";

const isParts = (value: unknown): value is readonly Part[] =>
  Array.isArray(value) && value.length > 0 && value.every(isPart);

/** Its name and plain options on a line, the parts inside it in a list below. */
function partMarkup({ name, options }: Part, depth: number): string {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined && value !== null);
  const inner = entries.filter(([, value]) => isPart(value) || isParts(value));
  const plain = entries
    .filter((entry) => !inner.includes(entry))
    .map(([key, value]) => `, <span class="option">${optionName(key)} ${escapeMarkup(optionText(value))}</span>`);
  const line = `<b>${escapeMarkup(name)}</b>${plain.join("")}`;
  if (inner.length === 0 || depth === 0) return line;
  const items = inner.flatMap(([, value]) => (isPart(value) ? [value] : (value as readonly Part[])));
  return `${line}<ul>${items.map((part) => `<li>${partMarkup(part, depth - 1)}</li>`).join("")}</ul>`;
}
