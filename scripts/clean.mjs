// Removes what was built; node_modules stays.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "./run.mjs";

for (const name of [".turbo", "coverage"]) rmSync(join(root, name), { recursive: true, force: true });
for (const folder of ["packages", "apps"]) {
  for (const name of readdirSync(join(root, folder))) {
    for (const built of ["dist", ".turbo"]) {
      rmSync(join(root, folder, name, built), { recursive: true, force: true });
    }
  }
}
