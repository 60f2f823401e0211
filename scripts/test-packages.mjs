// The packages as their users get them: packs all, installs the tarballs together into a fresh project,
// type-checks test/fresh-project there (nodenext and bundler) and runs it. Needs `npm run build` first.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bin, node, npm, pack, readJson, root, swiftShader } from "./run.mjs";

const project = mkdtempSync(join(tmpdir(), "ocelli-fresh-"));
const tarballs = join(project, "tarballs");
mkdirSync(tarballs);

/** Every ```ts block of the READMEs: what they show has to run. */
function readmeExamples() {
  const folders = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => `${group}/${name}`),
  );
  const readmes = ["README.md", ...folders.map((folder) => `${folder}/README.md`)].filter((path) =>
    existsSync(join(root, path)),
  );
  return readmes.flatMap((readme) => {
    const name = readme === "README.md" ? "root" : readme.split("/")[1];
    const blocks = readFileSync(join(root, readme), "utf8").matchAll(/^```ts\r?\n(.*?)^```/gms);
    return [...blocks].map(([, code], i) => ({ file: `readme-${name}-${i + 1}.ts`, code }));
  });
}

async function step(name, running) {
  console.log(`- ${name}`);
  const { code, output } = await running;
  if (code === 0) return;
  console.error(`${output}\nFailed: ${name}. The project is kept in ${project}`);
  process.exit(1);
}
const inProject = { capture: true, cwd: project };

const dependencies = {};
for (const { manifest, tarball } of await pack(tarballs)) dependencies[manifest.name] = `file:tarballs/${tarball}`;
const { devDependencies } = readJson(join(root, "package.json"));
const { dependencies: cli } = readJson(join(root, "apps/cli/package.json"));
dependencies["onnxruntime-node"] = cli["onnxruntime-node"];
dependencies.echarts = cli.echarts;
dependencies.webgpu = readJson(join(root, "packages/kernels-webgpu/package.json")).devDependencies.webgpu;
dependencies["@types/node"] = devDependencies["@types/node"];
writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module", dependencies }, null, 2));
// As in the repository: the runtime's install script would download CUDA.
writeFileSync(join(project, ".npmrc"), "ignore-scripts=true\n");
cpSync(join(root, "test/fresh-project"), join(project, "src"), { recursive: true });
for (const { file, code } of readmeExamples()) writeFileSync(join(project, "src", file), code);
await step("install", npm(["install", "--prefer-offline", "--no-audit", "--no-fund"], inProject));

// No skipLibCheck: the packages' declarations are checked too, against lib ES2022 (onnxruntime's need the DOM).
const strict = ["--strict", "--target", "es2022", "--lib", "es2022,dom", "--types", "node", "--rootDir", "src"];
const files = readdirSync(join(project, "src")).map((file) => join("src", file));
const tsc = (...args) => node([bin("typescript", "tsc"), ...strict, ...args, ...files], inProject);
await step("type-check (bundler)", tsc("--module", "esnext", "--moduleResolution", "bundler", "--noEmit"));
await step("type-check and compile (nodenext)", tsc("--module", "nodenext", "--outDir", "out"));

/** Why nothing can run on WebGPU here; undefined where it can. */
async function withoutAdapter() {
  const ask =
    'import("@ocelli/kernels-webgpu").then((m) => m.describeAdapter()).catch((e) => { console.error(e.message); process.exit(1); })';
  const { code, output } = await node(["-e", ask], { ...inProject, env: swiftShader() });
  if (code === 0) return undefined;
  const reason = output.split("\n").find((line) => line.startsWith("webgpu: ")) ?? output;
  if (!(process.env.OCELLI_REQUIRE ?? "").split(",").includes("webgpu")) return reason;
  console.error(`OCELLI_REQUIRE asks for WebGPU, but ${reason}`);
  process.exit(1);
}

const reason = await withoutAdapter();
for (const file of readdirSync(join(project, "out"))) {
  if (reason !== undefined && file.startsWith("readme-kernels-webgpu-"))
    console.log(`- skipped: run ${file}, because ${reason}`);
  else await step(`run ${file}`, node([join("out", file)], { ...inProject, env: swiftShader() }));
}
await step("ocelli --version", node(["node_modules/ocelli/bin/ocelli.js", "--version"], inProject));

rmSync(project, { recursive: true, force: true, maxRetries: 5 });
console.log("The packed packages install, type-check and run.");
