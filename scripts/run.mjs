// Helpers of the scripts: paths, and running programs so that they work on Windows and end well on Ctrl-C.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Every package of the monorepo that is published: `{ dir, manifest }`. */
export function publicPackages() {
  return ["packages", "apps"]
    .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name)))
    .filter((dir) => existsSync(join(dir, "package.json")))
    .map((dir) => ({ dir, manifest: readJson(join(dir, "package.json")) }))
    .filter(({ manifest }) => !manifest.private);
}

// Ctrl-C reaches the child as well. Waiting for it lets it save and speak before the prompt returns
// (spawnSync would die at once and leave the child running behind the prompt).
let interrupted = false;
process.on("SIGINT", () => {
  interrupted = true;
});

/** Runs `node ARGS` and resolves to its exit code. With `capture`, what it prints is collected instead of shown. */
export function node(args, { cwd = root, env = {}, capture = false } = {}) {
  return new Promise((resolve, reject) => {
    const stdio = capture ? ["ignore", "pipe", "pipe"] : "inherit";
    const child = spawn(process.execPath, args, { cwd, stdio, env: { ...process.env, ...env } });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => {
        output += text;
      });
    }
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (interrupted && capture) process.exit(130);
      if (signal !== null) output += `ended by ${signal}\n`;
      resolve({ code: code ?? (signal === "SIGINT" ? 130 : 1), output });
    });
  });
}

/** What lets Dawn find Chromium's software adapter (see vitest.config.ts), where there is one and nothing was chosen. */
export function swiftShader() {
  const found = ["/usr/lib/chromium", "/opt/google/chrome"]
    .map((folder) => join(folder, "vk_swiftshader_icd.json"))
    .find((path) => existsSync(path));
  return found === undefined || process.env.VK_ICD_FILENAMES ? {} : { VK_ICD_FILENAMES: found };
}

/** Runs npm as the npm that started this script: Windows refuses to spawn npm.cmd. */
export function npm(args, options) {
  const cli = process.env.npm_execpath;
  if (cli === undefined) throw new Error("Start this script through npm: see `scripts` in package.json.");
  return node([cli, ...args], options);
}

/** The file behind a command of an installed package, to be run by `node`. */
export function bin(packageName, command = packageName) {
  const dir = join(root, "node_modules", packageName);
  const field = readJson(join(dir, "package.json")).bin;
  return join(dir, typeof field === "string" ? field : field[command]);
}

/** Builds what a task of turbo.json names: all, unless told otherwise; quiet where nothing is wrong. */
export function build(task = "build") {
  const env = { TURBO_TELEMETRY_DISABLED: "1" };
  return node([bin("turbo"), "run", task, "--output-logs=errors-only"], { env });
}

/** Packs every published package into `folder`; adds `tarball`, the file's name, to what `publicPackages` gives. */
export async function pack(folder) {
  const packages = publicPackages();
  const names = packages.map(({ manifest }) => `--workspace=${manifest.name}`);
  const result = await npm(["pack", ...names, "--pack-destination", folder], { capture: true });
  if (result.code !== 0) throw new Error(`npm pack failed:\n${result.output}`);
  return packages.map(({ dir, manifest }) => {
    const tarball = `${manifest.name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`;
    return { dir, manifest, tarball };
  });
}
