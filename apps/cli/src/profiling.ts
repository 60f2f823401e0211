/** `ocelli bench --profile`: which kernels a step's time goes to. */
import { writeFile } from "node:fs/promises";
import type { Device } from "@ocelli/core";
import type { Profile } from "@ocelli/kernels-webgpu";
import type { DeviceFlags } from "./device.js";
import { UsageError } from "./errors.js";
import { type Io, print } from "./io.js";

export interface ProfileFlags extends DeviceFlags {
  /** True without a file's name. */
  readonly profile?: string | true;
}

const defaultFile = "ocelli-trace.json";
/** Steps that are recorded, at most. */
const mostSteps = 10;
/** Rows of a table. */
const mostRows = 20;

/** Steps that were recorded, apart from those whose speed was measured: timing each kernel slows them down. */
export interface Recorded {
  readonly profile: Profile;
  readonly file: string;
}

/** @throws UsageError for `--profile` on a device that cannot time its kernels */
export function checkProfile({ profile, device = "auto" }: ProfileFlags): void {
  if (profile === undefined || device === "webgpu") return;
  throw new UsageError(`--profile is for --device webgpu; --device ${device} does not time its kernels one by one`);
}

/** Records a few steps on a device that was opened for it. Until then nothing was recorded. */
export async function record(
  device: Device,
  { profile: file }: ProfileFlags,
  step: () => Promise<unknown>,
  { seconds, signal }: { readonly seconds: number; readonly signal: AbortSignal },
): Promise<Recorded | undefined> {
  if (file === undefined) return undefined;
  const { profileOf } = await import("@ocelli/kernels-webgpu");
  const profile = profileOf(device);
  profile.enabled = true;
  const end = performance.now() + 1000 * seconds;
  do {
    signal.throwIfAborted();
    await step();
  } while (performance.now() < end && profile.runs < mostSteps);
  profile.enabled = false;
  return { profile, file: file === true ? defaultFile : file };
}

/** Keeps a device from recording before {@link record} does. */
export async function pauseProfile(device: Device, { profile: file }: ProfileFlags): Promise<void> {
  if (file !== undefined) (await import("@ocelli/kernels-webgpu")).profileOf(device).enabled = false;
}

/** What `--json` prints of it. */
export function profileJson({ profile: { clock, runs, rows }, file }: Recorded): object {
  return { clock, runs, trace: file, rows };
}

/** Prints tables of the kernels, and of the dispatches by module. */
export async function showProfile(io: Io, { profile, file }: Recorded): Promise<void> {
  const { formatProfile } = await import("@ocelli/kernels-webgpu");
  print(io, `\n${formatProfile(profile, { by: "kernel", top: mostRows })}`);
  print(io, `\n${formatProfile(profile, { top: mostRows })}`);
  print(io, `\nwrote ${file}: open it in https://ui.perfetto.dev`);
}

/** Writes the time line of the recorded steps. */
export async function writeTrace({ profile, file }: Recorded): Promise<void> {
  const { chromeTrace } = await import("@ocelli/kernels-webgpu");
  await writeFile(file, chromeTrace(profile));
}
