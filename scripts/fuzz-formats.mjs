// Reads 100,000 changed safetensors, PyTorch and ONNX files: `node scripts/fuzz-formats.mjs [COUNT] [SEED]`. No crash, no hang, no memory
// beyond the file's size times a constant; packages/formats/test/fuzz.ts says how that is measured.
import { pathToFileURL } from "node:url";
import { bin, node } from "./run.mjs";

/** What was wanted and what came. */
export async function run(count = 100_000, seed = 1) {
  const { code, output } = await node(
    [bin("vitest"), "run", "--project", "node", "packages/formats/test/fuzz.test.ts"],
    { capture: true, env: { OCELLI_FUZZ: `${count},${seed}`, NO_COLOR: "1" } },
  );
  const wanted = `${count} changed files read or refused by name, in time and memory`;
  const line = /^\{"files":.*\}$/m.exec(output)?.[0];
  if (code !== 0 || line === undefined) return { ok: false, wanted, got: output };
  const { files, read, slowestMs, largestRatio, largestGrowth } = JSON.parse(line);
  const memory = `arrays at most ${largestRatio.toFixed(1)} times the file, heap at most ${(largestGrowth / 2 ** 20).toFixed(0)} MiB`;
  const got = `${files} files, ${read} read, the others refused; slowest ${slowestMs.toFixed(0)} ms, ${memory}`;
  return { ok: files === count, wanted, got };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [count, seed] = process.argv.slice(2).map(Number);
  const { ok, wanted, got } = await run(count, seed);
  console.log(`${ok ? "ok    " : "FAILED"} ${got} (wanted ${wanted})`);
  process.exitCode = ok ? 0 : 1;
}
