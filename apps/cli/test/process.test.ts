import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCheckpoint } from "@ocelli/training/node";
import { describe, expect, it } from "vitest";
import { bin, lines, temporaryFolder } from "./harness.js";

// What only a process of its own can show. `npm test` builds the command first.
const built = existsSync(new URL("../dist/main.js", import.meta.url));
if (!built)
  console.log("skipped: tests of the built command, because apps/cli/dist is missing (npm run build makes it)");

const folder = temporaryFolder();
const small = [
  "lenet5_modern",
  "--data",
  "digits",
  "--limit",
  "1500",
  "--device",
  "onnx-cpu",
  "--threads",
  "1",
  "--json",
];

describe.skipIf(!built)("the built command", { timeout: 120_000 }, () => {
  it("starts without a runtime and without an image library", () => {
    for (const args of [["--version"], ["list"], ["--help"]]) {
      const { status, stdout } = spawnSync(process.execPath, ["--require", guard(), bin, ...args], {
        encoding: "utf8",
      });
      expect({ status, args }).toEqual({ status: 0, args });
      expect(stdout).not.toBe("");
    }
  });

  it("keeps its exit codes", () => {
    expect(spawnSync(process.execPath, [bin, "trian"]).status).toBe(2);
    expect(spawnSync(process.execPath, [bin, "eval", "nowhere"]).status).toBe(1);
  });

  it.skipIf(process.platform === "win32")("is quiet when its reader closes the pipe", () => {
    const shell = `"${process.execPath}" "${bin}" summary resnet20_cifar | head -1`;
    const { stdout, stderr } = spawnSync("sh", ["-c", shell], { encoding: "utf8" });
    expect(stdout.split("\n")).toHaveLength(2);
    expect(stderr).toBe("");
  });

  it.skipIf(process.platform === "win32")("saves at Ctrl-C, exits with 130 and says how to go on", async () => {
    const out = join(folder, "stopped");
    const { code, stderr } = await trained(["--out", out, "--epochs", "50"], { signal: "SIGINT" });
    expect(code).toBe(130);
    expect(stderr).toMatch(/stopping after the steps in flight/);
    expect(stderr).toMatch(/go on with: .* train --resume /);
    expect((await readCheckpoint(join(out, "last.safetensors"))).progress.step).toBeGreaterThan(0);
  });

  it("survives being killed at random moments, and ends with the bytes of a run that was not", async () => {
    const [straight, killed] = [join(folder, "straight"), join(folder, "killed")];
    expect((await trained(["--out", straight, "--epochs", "4"])).code).toBe(0);
    let kills = 0;
    for (let attempt = 0; attempt < 20; attempt++) {
      const resuming = existsSync(join(killed, "run.json"));
      const args = resuming ? ["--resume", killed] : ["--out", killed, "--epochs", "4"];
      // After the fifth, it may finish.
      const { code, stderr } = await trained(
        args,
        kills < 5 ? { signal: "SIGKILL", after: 300 * Math.random() } : {},
        !resuming,
      );
      expect(stderr).not.toContain("error");
      if (code === 0) break;
      kills++;
      const file = join(killed, "last.safetensors");
      if (existsSync(file)) expect((await readCheckpoint(file)).progress.epoch).toBeGreaterThan(0);
    }
    expect(kills).toBeGreaterThan(0);
    expect(
      readFileSync(join(killed, "last.safetensors")).equals(readFileSync(join(straight, "last.safetensors"))),
    ).toBe(true);
    // What half-written files there were are swept.
    expect(readdirSync(killed).sort()).toEqual(["best.safetensors", "last.safetensors", "log.jsonl", "run.json"]);
    const events = lines(readFileSync(join(straight, "log.jsonl"), "utf8"));
    const epochs = events.filter(({ type }) => type === "epoch");
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
  });
});

/** A module that makes loading the heavy libraries an error. */
function guard(): string {
  return fileURLToPath(new URL("./no-heavy-libraries.cjs", import.meta.url));
}

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** Trains in a child, which a signal hits `after` milliseconds after its first epoch. */
function trained(
  args: readonly string[],
  { signal, after = 0 }: { signal?: NodeJS.Signals; after?: number } = {},
  fresh = true,
): Promise<Ended> {
  const child = spawn(process.execPath, [bin, "train", ...(fresh ? small : ["--json"]), ...args]);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdout.once("data", () => {
    if (signal !== undefined) setTimeout(() => child.kill(signal), after);
  });
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stderr })));
}
