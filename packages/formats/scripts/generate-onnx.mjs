// Regenerates src/onnx/onnx_pb.ts from src/onnx/onnx.proto: `node packages/formats/scripts/generate-onnx.mjs`.
// Needed only when the schema or the version of @bufbuild/protobuf changes, so the two tools are fetched by `npm exec`
// for this one run and are no dependencies of the repository.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "..");
const packages = ["@bufbuild/buf@1.75.0", "@bufbuild/protoc-gen-es@2.17.0", "@bufbuild/protobuf@2.17.0"];
const template = {
  version: "v2",
  plugins: [{ local: "protoc-gen-es", out: "src", opt: ["target=ts", "import_extension=js"] }],
};
const windows = process.platform === "win32";

/** Runs an installed or fetched command and ends with its status if it fails. */
function run(args) {
  // Windows starts .cmd files only through its shell.
  const { status } = spawnSync(windows ? "npm.cmd" : "npm", ["exec", ...args], {
    cwd: folder,
    stdio: "inherit",
    shell: windows,
  });
  if (status !== 0) process.exit(status ?? 1);
}

const templateFile = join(mkdtempSync(join(tmpdir(), "ocelli-onnx-")), "buf.gen.yaml");
writeFileSync(templateFile, JSON.stringify(template));
run([
  "--yes",
  ...packages.map((name) => `--package=${name}`),
  "--",
  "buf",
  "generate",
  "--template",
  templateFile,
  "src",
]);
run(["--", "biome", "check", "--write", "src/onnx/onnx_pb.ts"]);
