// Our speed in Chromium beside other libraries': `node bench/browser/run.mjs --peers ../shared/peers/browser`. See ../README.md.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { jsonLines, markdown, median, noise, positive, run, spread, verdict } from "../rounds.mjs";

const networks = ["lenet5-train", "resnet8-train", "lenet5-infer", "resnet8-infer"];
const convolutions = ["conv-fwd", "conv-dx", "conv-dw"];
/** The least ratios that count as reached, by our device, case and peer. */
const training = { "tfjs-webgpu": 3, "jaxjs-webgpu": 1.5 };
const targets = {
  wasm: { "lenet5-train": { "jaxjs-wasm": 5 } },
  webgpu: {
    "lenet5-train": training,
    "resnet8-train": training,
    "lenet5-infer": { "ortweb-webgpu": 1 },
    "resnet8-infer": { "ortweb-webgpu": 1 },
    "conv-dw": { "tfjs-webgpu": 10 },
  },
};
/** Above these, somebody's result is wrong. */
const tolerance = { loss: 1e-3, output: 1e-4 };

const { values: options } = parseArgs({
  options: {
    peers: { type: "string" },
    rounds: { type: "string", default: "5" },
    device: { type: "string", default: "wasm" },
    lib: { type: "string", default: "jaxjs-wasm" },
    case: { type: "string", default: networks.join() },
    seconds: { type: "string", default: "4" },
    cap: { type: "string", default: "120" },
    chromium: { type: "string", default: process.env.CHROME || "/usr/bin/chromium" },
    json: { type: "boolean", default: false },
  },
});

function stop(message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}

if (options.peers === undefined) {
  stop(
    `usage: node bench/browser/run.mjs --peers DIR [--device wasm|webgpu] [--lib jaxjs-wasm,...] [--case ${networks.join()}|all] [--rounds 5] [--seconds 4] [--cap 120] [--chromium PATH] [--json]`,
  );
}
const peers = resolve(options.peers);
if (!existsSync(join(peers, "run.mjs")))
  stop(`there is no ${join(peers, "run.mjs")}; --peers names the folder of the browser peers`);
if (!Object.hasOwn(targets, options.device)) stop(`--device is "${options.device}"; ours are wasm and webgpu`);
if (!existsSync(options.chromium)) stop(`there is no ${options.chromium}; name a Chromium with --chromium or CHROME`);
const [rounds, seconds, cap] = ["rounds", "seconds", "cap"].map((name) => positive(options[name], name));
const cases = options.case === "all" ? [...networks, ...convolutions] : options.case.split(",");
const others = options.lib.split(",");

/** A copy that can be written to, whatever the original's permissions. */
function copy(from, to) {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (["node_modules", "dist"].includes(entry.name)) continue;
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) copy(source, target);
    else copyFileSync(source, target);
  }
}

const temporary = mkdtempSync(join(tmpdir(), "ocelli-browser-bench-"));
process.on("exit", () => rmSync(temporary, { recursive: true, force: true }));
const work = join(temporary, "peers");

async function prepare() {
  copy(peers, work);
  // Started through `npm run`, this process has npm settings that are meant for our own packages.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));
  console.error(`installing the peers in ${work}`);
  await run("npm", ["install", "--no-audit", "--no-fund"], { cwd: work, env, shell: process.platform === "win32" });
  const { build } = createRequire(join(work, "package.json"))("esbuild");
  // Ours from the sources; onnxruntime-web is left for the harness, which bundles the one it installed.
  await build({
    entryPoints: [join(dirname(fileURLToPath(import.meta.url)), `adapter-${options.device}.mjs`)],
    outfile: join(work, "adapters", "ocelli.mjs"),
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: ["@ocelli/source"],
    external: ["onnxruntime-web", "onnxruntime-web/wasm"],
    logLevel: "warning",
  });
}

/** One library at one case (a convolution: all its shapes), in a browser of its own that reaches nothing but this machine. */
async function measure(lib, name) {
  const args = ["--lib", lib, "--case", name, "--json", "--seconds", `${seconds}`, "--cap", `${cap}`];
  const alone = "--arg=--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1";
  return jsonLines(
    await run(process.execPath, ["run.mjs", ...args, "--chromium", options.chromium, alone], { cwd: work }),
  );
}

const titleOf = ({ case: name, shape }) => (shape === undefined ? name : `${name} ${shape}`);
/** Case -> library -> one result a round. */
const results = new Map();
const problems = new Set();

function keep(result) {
  if (result.case === undefined) throw new Error(`${result.lib}: ${result.error}`);
  const title = titleOf(result);
  if (!results.has(title)) results.set(title, { name: result.case, batch: result.batch, libs: new Map() });
  const { libs } = results.get(title);
  libs.set(result.lib, [...(libs.get(result.lib) ?? []), result]);
  if (result.error !== undefined && result.lib === "ocelli") problems.add(`${title}: ocelli failed: ${result.error}`);
  if (result.rel_err > tolerance.output) problems.add(`${title}: ${result.lib} is wrong by ${result.rel_err}`);
}

function compareLosses(title, ours, theirs) {
  for (const [i, loss] of (ours.losses ?? []).entries()) {
    const other = theirs.losses?.[i];
    if (other === undefined || Math.abs(loss / other - 1) <= tolerance.loss) continue;
    problems.add(`${title}: loss ${i + 1} is ${loss} with ocelli and ${other} with ${theirs.lib}`);
  }
}

const paired = (libs, other) =>
  (libs.get(other) ?? [])
    .map((theirs, round) => [libs.get("ocelli")[round], theirs])
    .filter(([a, b]) => !a.error && !b.error);

function rowOf(title, { name, libs }, other) {
  const ours = libs.get("ocelli")[0];
  const theirs = (libs.get(other) ?? [{ error: "not measured" }])[0];
  const pairs = paired(libs, other);
  const shown = (ms) => (ms === undefined ? "failed" : ms.toFixed(ms < 100 ? 2 : 0));
  if (pairs.length === 0) {
    const own = libs.get("ocelli").flatMap((one) => one.ms_median ?? []);
    const alone = shown(own.length === 0 ? undefined : median(own));
    return [title, ours.batch ?? "", alone, other, `cannot: ${theirs.error ?? ours.error}`, "-", "-", "-"];
  }
  for (const [a, b] of pairs) compareLosses(title, a, b);
  const ratio = spread(pairs.map(([a, b]) => b.ms_median / a.ms_median));
  const [own, peer] = [0, 1].map((side) => median(pairs.map((pair) => pair[side].ms_median)));
  const target = targets[options.device][name]?.[other];
  return [title, ours.batch, shown(own), other, shown(peer), ratio.text, ratio.range, verdict(ratio.middle, target)];
}

await prepare();
for (let round = 0; round < rounds; round++) {
  for (const name of cases) {
    // Whoever comes later finds a warmer machine: take turns.
    const order = round % 2 === 0 ? ["ocelli", ...others] : [...others, "ocelli"];
    for (const lib of order) {
      for (const result of await measure(lib, name)) {
        keep(result);
        const value = result.error === undefined ? `${result.ms_median} ms` : result.error;
        console.error(`round ${round + 1}  ${titleOf(result)}  ${lib}: ${value}`);
      }
    }
  }
}

const columns = ["case", "batch:", "ocelli, ms:", "peer", "peer, ms:", "ratio:", "min .. max", "target"];
const rows = [...results].flatMap(([title, entry]) => others.map((other) => rowOf(title, entry, other)));
console.log(markdown(columns, rows));
const every = [...results.values()].flatMap(({ libs }) => [...libs.values()].flat());
const about = new Map(
  every.flatMap((one) => (one.version === undefined ? [] : [[one.lib, `${one.lib} ${one.version} (${one.adapter})`]])),
);
console.log(`\n${[...about.values()].join("; ")}; medians of ${rounds} rounds, ${seconds} s each.`);
const warning = noise(every.map((one) => one.busy_before));
if (warning !== undefined) console.log(warning);
const agreeing = [...results].filter(([, { libs }]) =>
  others.some((other) => paired(libs, other).some(([a]) => a.losses)),
);
for (const [title, { libs }] of agreeing)
  console.log(`First losses of ${title}: ${libs.get("ocelli")[0].losses.join(" ")}`);
const worst = Math.max(0, ...every.flatMap((one) => (one.lib === "ocelli" ? (one.rel_err ?? []) : [])));
if (worst > 0) console.log(`Outputs of ocelli are within ${worst.toExponential(1)} of plain JavaScript's.`);
if (options.json) for (const one of every) console.log(JSON.stringify(one));
for (const problem of problems) console.error(`wrong: ${problem}`);
process.exitCode = problems.size === 0 ? 0 : 1;
