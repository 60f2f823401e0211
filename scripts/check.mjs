// `npm run check`: everything but the tests. Runs all steps, shows the output of those that fail.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bin, build, node, pack } from "./run.mjs";

const failed = [];
async function step(name, run) {
  const started = performance.now();
  const { code, output } = await run();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (code === 0) return;
  failed.push(name);
  console.log(output);
}
const tool = (file, ...args) => node([file, ...args], { capture: true });

const built = await build();
if (built.code !== 0) process.exit(built.code);

await step("format and lint (biome)", () => tool(bin("@biomejs/biome", "biome"), "check", "--error-on-warnings", "."));
await step("types (tsc)", () => tool(bin("typescript", "tsc"), "-p", ".", "--noEmit"));
await step("types of the playground (tsc)", () => tool(bin("typescript", "tsc"), "-p", "apps/playground", "--noEmit"));
await step("cycles and direction (dependency-cruiser)", () =>
  tool(bin("dependency-cruiser", "depcruise"), "packages", "apps"),
);
await step("unused code (knip)", () => tool(bin("knip"), "--no-config-hints"));
await step("lockfile", () => tool("scripts/check-lock.mjs"));

// Packages are checked as they would be published: packed once, for both tools.
const tarballs = mkdtempSync(join(tmpdir(), "ocelli-pack-"));
for (const { manifest, tarball } of await pack(tarballs)) {
  const file = join(tarballs, tarball);
  await step(`${manifest.name} as packed (publint)`, () => tool(bin("publint"), "--strict", file));
  // The command has no types to import.
  if (!("." in manifest.exports)) continue;
  const attw = bin("@arethetypeswrong/cli", "attw");
  await step(`${manifest.name} as packed (attw)`, () => tool(attw, "--profile", "esm-only", file));
}
rmSync(tarballs, { recursive: true, force: true });

await step("size (size-limit)", () => tool(bin("size-limit")));

if (failed.length > 0) {
  console.log(`\n${failed.length} of the checks failed: ${failed.join("; ")}`);
  process.exit(1);
}
console.log("\nEvery check passed.");
