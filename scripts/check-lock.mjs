// npm may write a lockfile that lacks other systems' binaries; `npm ci` then fails there. Regenerate with npm >= 11.19.
import { join } from "node:path";
import { readJson, root } from "./run.mjs";

const { packages } = readJson(join(root, "package-lock.json"));
const problems = [];
for (const [path, entry] of Object.entries(packages)) {
  if (entry.resolved !== undefined && !entry.link) problems.push(`${path}: names an address (${entry.resolved})`);
  if (path.includes("node_modules/") && !entry.link) {
    if (!entry.version) problems.push(`${path}: no version`);
    if (!entry.integrity) problems.push(`${path}: no integrity`);
  }
  // Every optional dependency must have an entry: beside its parent or in a folder above.
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    let folder = path;
    while (folder !== "" && packages[`${folder}/node_modules/${name}`] === undefined) {
      folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")));
    }
    if (packages[`${folder}${folder === "" ? "" : "/"}node_modules/${name}`] === undefined) {
      problems.push(`${path}: its optional dependency ${name} is missing`);
    }
  }
}
if (problems.length > 0) {
  console.error(`package-lock.json:\n  ${problems.join("\n  ")}`);
  process.exit(1);
}
