// Runs of the command `ocelli train` that an experiment is made of. Each goes on where it stood: an experiment may be stopped at any time.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { node, root } from "../run.mjs";

const cli = join(root, "apps/cli/bin/ocelli.js");

/** Trains `model` in the folder `out` until it has so many epochs, and gives what its epochs came to. */
export async function trained(model, { out, epochs, args }) {
  const started = existsSync(join(out, "last.safetensors"));
  const command = started
    ? ["train", "--resume", out]
    : ["train", model, "--epochs", `${epochs}`, "--out", out, ...args];
  console.log(`\n== ${["ocelli", ...command].join(" ")}`);
  const { code } = await node([cli, ...command]);
  if (code === 130) process.exit(130);
  if (code !== 0) throw new Error(`ocelli ${command.join(" ")} ended with code ${code}`);
  return epochsOf(out);
}

/** The epochs in a run's log; one that was run again counts once. */
export function epochsOf(out) {
  const lines = readFileSync(join(out, "log.jsonl"), "utf8").split("\n").filter(Boolean).map(JSON.parse);
  const epochs = new Map(lines.filter(({ type }) => type === "epoch").map((line) => [line.epoch, line]));
  return [...epochs.values()].sort((a, b) => a.epoch - b.epoch);
}

/** Flags for a quick try on part of the images. */
export const limited = (limit) => (limit === undefined ? [] : ["--limit", `${limit}`]);

export const percent = (share) => `${(100 * share).toFixed(2)} %`;
