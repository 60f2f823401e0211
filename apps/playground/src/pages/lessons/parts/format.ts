import { formatNumber } from "../../../format.js";

/** 271351808 -> "271 M"; in full below a million. */
export const short = (n: number): string =>
  n >= 1e9 ? `${(n / 1e9).toPrecision(3)} G` : n >= 1e6 ? `${Math.round(n / 1e6)} M` : formatNumber(n);

/** Three digits, with a power of ten where there would be many zeros. */
export function figure(n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return "none";
  if (n === 0) return "0";
  const size = Math.abs(n);
  return size >= 1e4 || size < 1e-2 ? power(n) : n.toPrecision(3);
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 4.5e-15 -> "4.5 × 10⁻¹⁵" */
function power(n: number): string {
  const [digits = "", exponent = ""] = n.toExponential(1).split("e");
  const raised = exponent
    .replace("+", "")
    .replace("-", "⁻")
    .replace(/\d/g, (d) => superscripts[Number(d)] as string);
  // In one piece at the end of a line.
  return `${digits}\u00a0×\u00a010${raised}`;
}
