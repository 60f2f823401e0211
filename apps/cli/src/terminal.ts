import pc from "picocolors";
import type { Io, Output } from "./io.js";

export type Colors = ReturnType<typeof pc.createColors>;

/** Colours for a stream: none in a pipe or with NO_COLOR. */
export function colors(io: Io, stream: Output = io.stdout): Colors {
  const { NO_COLOR, FORCE_COLOR, TERM } = io.env;
  const wanted = FORCE_COLOR ? FORCE_COLOR !== "0" : stream.isTTY === true && TERM !== "dumb";
  return pc.createColors(wanted && !NO_COLOR);
}

/** Columns of a terminal; 80 in a pipe. */
export function widthOf(stream: Output): number {
  return Math.max(40, stream.columns ?? 80);
}

/** Whether the terminal shows more than ASCII. */
export function hasUnicode(io: Io, platform: NodeJS.Platform = process.platform): boolean {
  const { LC_ALL, LC_CTYPE, LANG, WT_SESSION, TERM_PROGRAM, TERM } = io.env;
  if (platform === "win32") return Boolean(WT_SESSION ?? TERM_PROGRAM);
  if (TERM === "linux" || TERM === "dumb") return false;
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || "");
}

/** `60000` -> `60,000` */
export function formatInteger(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** `0.98765` -> `98.77 %` */
export function formatPercent(share: number, digits = 2): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** A loss: four decimals, or as many digits as it needs when tiny or huge. */
export function formatLoss(loss: number): string {
  return loss !== 0 && (Math.abs(loss) < 1e-3 || Math.abs(loss) >= 1e5) ? loss.toExponential(2) : loss.toFixed(4);
}

/** Seconds as `12 s`, `3 min 05 s`, `2 h 14 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${`${whole % 60}`.padStart(2, "0")} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${`${minutes % 60}`.padStart(2, "0")} min`;
}

/** `1 image`, `2 images` */
export function plural(count: number, noun: string): string {
  return `${formatInteger(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `a, b and c` */
export function listed(items: readonly (string | number)[]): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** Rows as columns two spaces apart; columns in `right` are aligned to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
  const pad = (cell: string, i: number): string =>
    right.includes(i) ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number);
  return rows.map((row) => row.map(pad).join("  ").trimEnd());
}

/** `label    value` lines with one margin; further lines of a value are indented below it. */
export function labelled(
  pairs: readonly (readonly [label: string, value: string])[],
  dim: (text: string) => string,
): string[] {
  const width = Math.max(...pairs.map(([label]) => label.length)) + 3;
  return pairs.map(
    ([label, value]) => `${dim(label.padEnd(width))}${value.replaceAll("\n", `\n${" ".repeat(width)}`)}`,
  );
}

/** An argument as a shell takes it. */
export function quoted(argument: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(argument) ? argument : `"${argument.replaceAll('"', '\\"')}"`;
}

/** A flag as it is typed: `batchSize` is `--batch-size`. */
export const spelled = (flag: string): string => `--${flag.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
