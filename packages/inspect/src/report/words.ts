import { escapeMarkup } from "../markup.js";

/** A part of the page. */
export interface Section {
  /** For links to it. */
  readonly id: string;
  readonly title: string;
  /** Markup below the title. */
  readonly body: string;
}

/** `0.98765` -> `98.77 %`, never broken over two lines; what is not known is a dash. */
export function percent(share: number, digits = 2): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(digits)}\u00a0%` : "–";
}

/** Up to four digits that say something, an exponent where needed; what is not known is a dash. */
export function decimal(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5))
    return Number(value.toPrecision(3)).toExponential().replaceAll("-", "−");
  return `${Number(value.toPrecision(4))}`.replace("-", "−");
}

/** Beyond this an option says little to a reader. */
const longestText = 200;

/** An option's value in words; numbers without rounding noise. */
export function optionText(value: unknown): string {
  if (typeof value === "number") return `${Number(value.toPrecision(6))}`;
  if (Array.isArray(value)) {
    const shown = value.slice(0, 12).map(optionText).join(", ");
    return value.length > 12 ? `${shown} … (${value.length} in all)` : shown;
  }
  const text = typeof value === "object" && value !== null ? JSON.stringify(value) : `${value}`;
  return text.length > longestText ? `${text.slice(0, longestText)} …` : text;
}

/** `weightDecay` -> `weight decay` */
export const optionName = (name: string): string =>
  escapeMarkup(name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));
