// What both benchmarks share: programs that print JSON lines, figures of several rounds, a Markdown table.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

const alive = new Set();
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
]) {
  process.on(signal, () => {
    for (const child of alive) child.kill(signal);
    // Lets `exit` handlers tidy up.
    process.exit(code);
  });
}

/** Runs a program; resolves to its output. @throws Error with what it said when it fails */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
    alive.add(child);
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) {
      child[name].setEncoding("utf8").on("data", (part) => {
        text[name] += part;
      });
    }
    child.on("error", reject);
    child.on("close", (code, signal) => {
      alive.delete(child);
      if (code === 0) return resolve(text.stdout);
      const said = (text.stderr.trim() || text.stdout.trim()).split("\n").slice(-15).join("\n");
      reject(new Error(`${command} ${args.join(" ")} ended with ${signal ?? `code ${code}`}:\n${said}`));
    });
  });
}

/** The JSON lines among a program's output. */
export const jsonLines = (output) =>
  output.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));

/** Middle value; of an even count, the mean of the two. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Median and range of the rounds' own ratios: the machine's drift from round to round cancels in each. */
export function spread(ratios) {
  const digits = (value) => value.toFixed(value < 10 ? 2 : 1);
  return {
    middle: median(ratios),
    text: digits(median(ratios)),
    range: `${digits(Math.min(...ratios))} .. ${digits(Math.max(...ratios))}`,
  };
}

/** The cell of a target: what is wanted, and whether it was reached. */
export function verdict(ratio, target) {
  if (target === undefined) return "-";
  return `>= ${target}: ${ratio >= target ? "reached" : "missed"}`;
}

/** Columns whose name ends in `:` are aligned to the right. */
export function markdown(columns, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const names = columns.map((name) => name.replace(/:$/, ""));
  const rule = columns.map((name) => (name.endsWith(":") ? "---:" : "---"));
  return [line(names), line(rule), ...rows.map(line)].join("\n");
}

/** Processor time so far, of the machine and of this process with the children that have ended; undefined but on Linux. */
function clock() {
  try {
    const machine = readFileSync("/proc/stat", "utf8").split("\n")[0].trim().split(/\s+/).slice(1, 9).map(Number);
    const own = readFileSync("/proc/self/stat", "utf8").split(") ").at(-1).split(" ").slice(11, 15).map(Number);
    const sum = (values) => values.reduce((total, value) => total + value);
    return { all: sum(machine), idle: machine[3] + machine[4], own: sum(own) };
  } catch {
    return undefined;
  }
}

/** Runs `work`; resolves to its result and the share of the machine that others took meanwhile (undefined: cannot be told). */
export async function undisturbed(work) {
  const before = clock();
  const result = await work();
  const after = clock();
  if (before === undefined || after === undefined) return { result, others: undefined };
  const [all, idle, own] = ["all", "idle", "own"].map((name) => after[name] - before[name]);
  return { result, others: Math.max(0, all - idle - own) / all };
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for the machine to settle, at most some seconds. */
export async function settled() {
  for (let i = 0; i < 10; i++) {
    const { others } = await undisturbed(() => pause(300));
    if (!(others > 0.1)) return;
  }
}

/** A warning when other work took part of the machine. */
export function noise(shares) {
  const known = shares.filter((share) => share !== undefined);
  const disturbed = known.filter((share) => share > 0.1).length;
  if (disturbed === 0) return undefined;
  const most = Math.round(100 * Math.max(...known));
  return `NOT VALID: other work took more than 10 % of the machine in ${disturbed} of ${known.length} measurements (up to ${most} %). Measure again when it is quiet.`;
}

/** `--rounds 5` and the like. */
export function positive(text, name) {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  console.error(`--${name} is ${text}; it needs a number above 0`);
  process.exit(2);
}
