/** A profile for people: a table for a terminal, and a file for https://ui.perfetto.dev or chrome://tracing. */
import type { Profile, ProfileEvent, ProfileRow } from "./profile.js";

/** One complete event of the Chrome trace event format. Times in microseconds. */
interface TraceSpan {
  readonly name: string;
  readonly cat: string;
  readonly ph: "X";
  readonly ts: number;
  readonly dur: number;
  readonly pid: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, string | number>>;
}

/**
 * The recorded runs in the Chrome trace event format (JSON text): a track of kernels, one of runs, and one for each depth of module paths.
 * Opens in https://ui.perfetto.dev.
 */
export function chromeTrace({ events, clock }: Pick<Profile, "events" | "clock">): string {
  const depth = events.reduce((most, { module }) => Math.max(most, pathOf(module).length), 0);
  const tracks = ["kernels", "runs", ...Array.from({ length: depth }, (_, i) => `modules, depth ${i + 1}`)];
  const names = tracks.map((name, tid) => ({ name: "thread_name", ph: "M", pid: 1, tid, args: { name } }));
  const order = tracks.map((_, tid) => ({
    name: "thread_sort_index",
    ph: "M",
    pid: 1,
    tid,
    // Runs above modules above kernels.
    args: { sort_index: tid === 0 ? tracks.length : tid },
  }));
  const kernels = events.map((event): TraceSpan => {
    const { label, kernel, module, run, start, duration, macs, bytes } = event;
    const args = { label, module, run, macs, bytes, ...speedOf(event) };
    return { name: kernel, cat: "kernel", ph: "X", ts: start, dur: duration, pid: 1, tid: 0, args };
  });
  const runs = merged(events, () => "run", 1);
  const modules = tracks.slice(2).flatMap((_, i) =>
    merged(
      events,
      ({ module }) => {
        const path = pathOf(module);
        return path.length > i ? path.slice(0, i + 1).join(".") : undefined;
      },
      i + 2,
    ),
  );
  const process = { name: "process_name", ph: "M", pid: 1, tid: 0, args: { name: `webgpu (${clock} clock)` } };
  const traceEvents = [process, ...names, ...order, ...runs, ...modules, ...kernels];
  return `${JSON.stringify({ displayTimeUnit: "ms", traceEvents })}\n`;
}

const pathOf = (module: string): string[] => (module === "" ? [] : module.split("."));

function speedOf({ duration, macs, bytes }: ProfileEvent): { gflops?: number; gbps?: number } {
  if (duration <= 0) return {};
  return { ...(macs > 0 && { gflops: (2 * macs) / (duration * 1e3) }), gbps: bytes / (duration * 1e3) };
}

/** Neighbours of one run with the same name as one span each. */
function merged(
  events: readonly ProfileEvent[],
  nameOf: (event: ProfileEvent) => string | undefined,
  tid: number,
): TraceSpan[] {
  const spans: { name: string; run: number; ts: number; end: number }[] = [];
  let open: (typeof spans)[number] | undefined;
  for (const event of events) {
    const { run, start, duration } = event;
    const name = nameOf(event);
    if (open !== undefined && open.name === name && open.run === run) open.end = start + duration;
    else {
      open = name === undefined ? undefined : { name, run, ts: start, end: start + duration };
      if (open !== undefined) spans.push(open);
    }
  }
  return spans.map(({ name, run, ts, end }) => ({
    name: tid === 1 ? `run ${run}` : name,
    cat: tid === 1 ? "run" : "module",
    ph: "X",
    ts,
    dur: end - ts,
    pid: 1,
    tid,
    args: { run },
  }));
}

export interface FormatProfileOptions {
  /** Rows at most; what is left is one more. Default 20. */
  readonly top?: number;
  /** `dispatch` (the default): a row for each; `kernel`: a row for all of one kernel. */
  readonly by?: "dispatch" | "kernel";
}

type Line = Pick<ProfileRow, "kernel" | "module" | "count" | "msTotal" | "share" | "gflops" | "gbps">;

/** A table for a terminal, the slowest first, with the sum below. Milliseconds are of all runs together, and of one. */
export function formatProfile(
  { rows, runs, clock }: Pick<Profile, "rows" | "runs" | "clock">,
  { top = 20, by = "dispatch" }: FormatProfileOptions = {},
): string {
  if (rows.length === 0) return "nothing was recorded";
  const lines: readonly Line[] = by === "kernel" ? byKernel(rows) : rows;
  const hidden = lines.slice(top);
  const shown = hidden.length > 1 ? lines.slice(0, top) : lines;
  const rest = hidden.length > 1 ? [summary(hidden, `${hidden.length} more`)] : [];
  const table = [
    ["ms/run", "share", "count", "GFLOP/s", "GB/s", "kernel", "module"],
    ...[...shown, ...rest, summary(lines, "all")].map((line) => cells(line, runs)),
  ];
  const widths = (table[0] as string[]).map((_, i) => Math.max(...table.map((row) => (row[i] as string).length)));
  const texts = table.map((row) =>
    row
      .map((cell, i) => (i < 5 ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join("  ")
      .trimEnd(),
  );
  const note = clock === "host" ? ["by the host's clock: small kernels look slower than they are"] : [];
  return [...texts, ...note].join("\n");
}

function cells({ kernel, module, count, msTotal, share, gflops, gbps }: Line, runs: number): string[] {
  const speed = (value: number): string => (value > 0 ? value.toFixed(value < 10 ? 1 : 0) : "");
  const ms = (msTotal / Math.max(1, runs)).toFixed(3);
  return [ms, `${(100 * share).toFixed(1)} %`, String(count), speed(gflops), speed(gbps), kernel, module];
}

function summary(lines: readonly Line[], kernel: string): Line {
  const add = (of: (line: Line) => number): number => lines.reduce((total, line) => total + of(line), 0);
  const msTotal = add((line) => line.msTotal);
  // A mean of speeds, each weighted by its time: work over time.
  const speed = (of: (line: Line) => number): number =>
    msTotal > 0 ? add((line) => of(line) * line.msTotal) / msTotal : 0;
  return {
    kernel,
    module: "",
    count: add(({ count }) => count),
    msTotal,
    share: add(({ share }) => share),
    gflops: speed(({ gflops }) => gflops),
    gbps: speed(({ gbps }) => gbps),
  };
}

function byKernel(rows: readonly ProfileRow[]): Line[] {
  const groups = new Map<string, ProfileRow[]>();
  for (const row of rows) groups.set(row.kernel, [...(groups.get(row.kernel) ?? []), row]);
  return [...groups].map(([kernel, members]) => summary(members, kernel)).sort((a, b) => b.msTotal - a.msTotal);
}
