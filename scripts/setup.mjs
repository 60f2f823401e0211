// `npm start`, `npm run playground` and `npm test` on any checkout, a clean clone included: install what is missing, build, run.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serve, servingOptions } from "./playground/serve.mjs";
import { bin, build, node, npm, readJson, root } from "./run.mjs";

const [task, ...args] = process.argv.slice(2);
/** What each task runs, after turbo built this for it. */
const tasks = {
  start: { run: start, needs: "build:js" },
  playground: { run: () => serve(serving), needs: "site" },
  test: { run: test, needs: "build" },
};

/** Why node_modules is not what the lockfile says, or undefined. */
function staleness() {
  const installedFile = join(root, "node_modules/.package-lock.json");
  if (!existsSync(installedFile)) return "node_modules is missing";
  const wanted = readJson(join(root, "package-lock.json")).packages;
  const installed = readJson(installedFile).packages;
  for (const [path, { version, integrity, link, optional, peer }] of Object.entries(wanted)) {
    if (!path.includes("node_modules/")) continue;
    const present = installed[path] !== undefined && existsSync(join(root, path));
    // Binaries for other systems are not installed here.
    if (!present && (optional || peer)) continue;
    if (!present) return `${path} is missing`;
    if (!link && (installed[path].version !== version || installed[path].integrity !== integrity)) {
      return `${path} is another version than the lockfile's`;
    }
  }
  return undefined;
}

async function orExit(running) {
  const { code } = await running;
  if (code !== 0) process.exit(code);
}

function start() {
  return node([join(root, "apps/cli/bin/ocelli.js"), ...(args.length > 0 ? args : ["demo"])]);
}

// Not through turbo, which strips OCELLI_REQUIRE from the environment.
async function test() {
  const folder = mkdtempSync(join(tmpdir(), "ocelli-test-"));
  const counts = join(folder, "counts.txt");
  const result = await node([bin("vitest"), "run", ...args], { env: { OCELLI_COUNTS: counts } });
  // The last line, alone: CI reads it. Missing where vitest itself fell over.
  if (existsSync(counts)) console.log(readFileSync(counts, "utf8"));
  rmSync(folder, { recursive: true, force: true });
  return result;
}

if (!Object.hasOwn(tasks, task)) {
  console.error(`usage: node scripts/setup.mjs ${Object.keys(tasks).join("|")} [ARGUMENTS]`);
  process.exit(2);
}
const serving = task === "playground" ? servingOptions(args) : {};
// Said before minutes of building.
if (serving.problem !== undefined) {
  console.error(`error: ${serving.problem}`);
  process.exit(2);
}
const reason = staleness();
if (reason !== undefined) {
  console.log(`Installing, because ${reason} ...`);
  await orExit(npm(["ci"]));
}
const { run, needs } = tasks[task];
await orExit(build(needs));
await orExit(run());
