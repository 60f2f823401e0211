const units = ["", " K", " M", " G", " T"] as const;

const threeDigits = (value: number): string => value.toFixed(value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);

/** `61706` -> `61.7 K`: three digits and a unit. */
export function formatCount(count: number): string {
  let value = count;
  let unit = 0;
  while (Math.round(value * 10) / 10 >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${count}` : `${threeDigits(value)}${units[unit]}`;
}

/** `61706` -> `61,706` */
export const formatInteger = (count: number): string => count.toLocaleString("en-US");

function inUnits(bytes: number, base: number, names: readonly string[]): string {
  let value = bytes;
  let unit = 0;
  while (value >= base - 0.5 && unit < names.length) {
    value /= base;
    unit++;
  }
  return unit === 0 ? `${bytes} B` : `${threeDigits(value)} ${names[unit - 1]}`;
}

/** Bytes with a decimal unit, as all of this package prints them: `60950432` -> `61.0 MB`. */
export const formatBytes = (bytes: number): string => inUnits(bytes, 1000, ["kB", "MB", "GB", "TB"]);

/** Bytes with a binary unit, as memory is sold and limited: `18816` -> `18.4 KiB`. */
export const formatBinaryBytes = (bytes: number): string => inUnits(bytes, 1024, ["KiB", "MiB", "GiB", "TiB"]);

/** Lines of comma-separated values; what is undefined leaves its cell empty. */
export function formatCsv(lines: readonly (readonly (string | number | boolean | undefined)[])[]): string {
  const quoted = (cell: string): string => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  return lines.map((cells) => `${cells.map((cell) => quoted(`${cell ?? ""}`)).join(",")}\n`).join("");
}
