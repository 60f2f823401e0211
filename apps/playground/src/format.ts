/** A learning rate: three digits, and no more zeros than one reads. */
export function formatRate(rate: number): string {
  if (rate === 0) return "0";
  return rate >= 1e-4 && rate < 1e4 ? `${Number(rate.toPrecision(3))}` : rate.toExponential(1);
}

/** 0.9534 as "95.3 %". */
export const formatPercent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

/** "40 s", "3 min 20 s", "2 h 5 min". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "1 picture", "1,234 pictures". */
export const plural = (count: number, noun: string): string =>
  `${formatNumber(count)} ${noun}${count === 1 ? "" : noun.endsWith("ss") ? "es" : "s"}`;

/** 271351808 as "271,351,808". */
export const formatNumber = (value: number): string => value.toLocaleString("en");

/** "today, 14:05" or "3 May, 14:05". */
export function formatTime(milliseconds: number, now = new Date()): string {
  const date = new Date(milliseconds);
  const time = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === now.toDateString()) return `today, ${time}`;
  return `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}
