import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { arch, availableParallelism, cpus, freemem, totalmem } from "node:os";
import { promisify } from "node:util";
import { constant, hostTensor, item, mul, sum } from "@ocelli/core";
import { formatBinaryBytes } from "@ocelli/inspect";
import type { AdapterReport } from "@ocelli/kernels-webgpu";
import { cacheFolder } from "@ocelli/training/node";
import { type DeviceName, deviceNames, openDevice } from "../device.js";
import { type Io, print, printJson } from "../io.js";
import { colors, labelled, plural } from "../terminal.js";
import { ocelliVersion, versionOf } from "../versions.js";

export interface DoctorFlags {
  readonly json?: boolean;
  /** Tries this device only, in this process. */
  readonly probe?: DeviceName;
}

interface DeviceReport {
  readonly name: DeviceName;
  readonly works: boolean;
  readonly adapter?: string;
  readonly threads?: number;
  /** `webgpu`: what the adapter can do. */
  readonly details?: AdapterReport;
  /** Why it does not work, and how to add what is missing. */
  readonly message?: string;
}

/** `ocelli doctor`: what there is to run on, and what is missing. */
export async function doctor(io: Io, { json = false, probe }: DoctorFlags): Promise<void> {
  if (probe !== undefined) return printJson(io, await tryDevice(probe));
  const names = deviceNames.filter((name) => name !== "auto");
  const devices: DeviceReport[] = [];
  for (const name of names) devices.push(await probeDevice(io, name));
  const report = {
    ocelli: ocelliVersion(),
    node: process.versions.node,
    platform: process.platform,
    arch: arch(),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    threads: availableParallelism(),
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    cache: cacheFolder(),
    versions: Object.fromEntries(
      ["onnxruntime-node", "webgpu", "sharp"].map((name) => [name, versionOf(name) ?? null]),
    ),
    devices,
  };
  if (json) printJson(io, report);
  else show(io, report);
}

interface Report {
  readonly ocelli: string;
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly processor: string;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly freeMemoryBytes: number;
  readonly cache: string;
  readonly versions: Readonly<Record<string, string | null>>;
  readonly devices: readonly DeviceReport[];
}

function show(io: Io, report: Report): void {
  const { dim, green, yellow } = colors(io);
  const packages = Object.entries(report.versions).map(([name, version]): [string, string] => [
    name,
    version ?? `missing; add it${name === "webgpu" ? " for --device webgpu" : ""}: npm install ${name}`,
  ]);
  const machine: [string, string][] = [
    ["ocelli", report.ocelli],
    ["Node", `${report.node}, ${report.platform} ${report.arch}`],
    ...packages,
    ["processor", `${report.processor}, ${plural(report.threads, "thread")}`],
    ["memory", `${formatBinaryBytes(report.memoryBytes)}, ${formatBinaryBytes(report.freeMemoryBytes)} of it free`],
    ["cache", `${report.cache}${existsSync(report.cache) ? "" : " (nothing there yet)"}`],
  ];
  const devices = report.devices.map(({ name, works, adapter, threads, details, message }): [string, string] => {
    const how = [adapter, ...(threads === undefined ? [] : [plural(threads, "thread")])].join(", ");
    const more = details === undefined ? "" : `\n${describeAdapter(details)}`;
    return [name, works ? `${green("works")}: ${how}${more}` : `${yellow("not here")}: ${message}`];
  });
  // One margin for both parts.
  const lines = labelled([...machine, ["", ""], ["devices", ""], ...devices], dim);
  for (const line of lines) print(io, line.trimEnd());
}

/** What decides how fast it is, and how large a model may be. */
function describeAdapter({ software, features, limits }: AdapterReport): string {
  const has = (name: string): string => `${name} ${features.includes(name) ? "yes" : "no"}`;
  return [
    software ? "a software adapter: right, but slow; with a graphics card, install its driver" : "a graphics card",
    ["shader-f16", "subgroups", "timestamp-query"].map(has).join(", "),
    `buffers up to ${formatBinaryBytes(limits.maxBufferSize)}, bound up to ${formatBinaryBytes(limits.maxStorageBufferBindingSize)}, ${limits.maxStorageBuffersPerShaderStage} at once`,
    `workgroups of ${limits.maxComputeInvocationsPerWorkgroup} with ${formatBinaryBytes(limits.maxComputeWorkgroupStorageSize)}`,
  ].join("\n");
}

/** In a process of its own where that can be: graphics drivers print what they like, and may crash. */
async function probeDevice(io: Io, name: DeviceName): Promise<DeviceReport> {
  if (io.self === undefined || name === "reference") return tryDevice(name);
  const [program, ...args] = io.self;
  try {
    const { stdout } = await promisify(execFile)(program, [...args, "doctor", "--probe", name], { timeout: 60_000 });
    return JSON.parse(stdout) as DeviceReport;
  } catch (error) {
    const { signal, code } = error as { signal?: string; code?: number | string };
    return { name, works: false, message: `trying it ended with ${signal ?? `code ${code}`}` };
  }
}

/** Opens the device and computes something small on it. */
async function tryDevice(name: DeviceName): Promise<DeviceReport> {
  try {
    const device = await openDevice({ device: name }, () => undefined);
    try {
      const x = constant(hostTensor([1, 2, 3]));
      const [result] = await device.run([sum(mul(x, x))]);
      if (result === undefined || item(result) !== 14) throw new Error(`1 + 4 + 9 came out as ${result?.data[0]}`);
      const { adapter, threads } = device.info;
      const details = name === "webgpu" ? { details: await (await loadWebGpu()).describeAdapter() } : {};
      return { name, works: true, adapter, ...(threads === undefined ? {} : { threads }), ...details };
    } finally {
      await device.dispose();
    }
  } catch (error) {
    return { name, works: false, message: plain((error as Error).message) };
  }
}

const loadWebGpu = () => import("@ocelli/kernels-webgpu");

/** The runtime's sources and line numbers help nobody here. */
function plain(message: string): string {
  return message
    .replace(/^(onnx|webgpu): /, "")
    .replace(/\/onnxruntime_src\/\S+ .*? was false\. /s, "")
    .trim();
}
