import { defineConfig } from "tsup";

/**
 * The build of every package. `entries` are its public files, without `src/` and `.ts`: only they get types.
 * Types of files behind a `#name` import belong here too.
 * @param types packages whose global types the public files name
 */
export function library(entries: string[], { types = [] }: { readonly types?: readonly string[] } = {}) {
  return defineConfig({
    // One output file per source file: bundlers then drop ops a program does not use (one bundled file kept them).
    // Plain JavaScript is what worker threads load.
    entry: ["src/**/*.ts", "src/**/*.worker.js", "!src/**/*.test.ts", "!src/**/*.test-d.ts"],
    bundle: false,
    // Else what one test helper needs is a chunk that every file imports.
    splitting: false,
    format: "esm",
    target: "es2022",
    clean: true,
    silent: true,
    dts: {
      entry: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
      // Without it, programs compiled with lib ES2022 know no `Disposable`.
      banner: ['lib="esnext.disposable"', ...types.map((name) => `types="${name}"`)]
        .map((reference) => `/// <reference ${reference} />`)
        .join("\n"),
    },
  });
}
