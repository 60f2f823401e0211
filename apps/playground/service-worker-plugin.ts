import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build, type Plugin, type Rolldown } from "vite";
import type { SiteFile, SiteFiles } from "./src/sw/files.js";

const name = "sw.js";

/** Larger files, in bytes, are kept when they are first used: WebAssembly, weights. Programs of workers are smaller. */
const large = 1_000_000;

/** Builds src/sw/worker.ts as `sw.js` beside index.html, and tells it which files the site has. */
export function serviceWorker(): Plugin {
  let publicFolder = "";
  return {
    name: "service-worker",
    apply: "build",
    enforce: "post",
    configResolved: ({ publicDir }) => {
      publicFolder = publicDir;
    },
    generateBundle: {
      order: "post",
      async handler(_, bundle) {
        const built = Object.values(bundle).map((file) => ({
          url: file.fileName,
          bytes: Buffer.from(file.type === "chunk" ? file.code : file.source),
        }));
        const files = sorted([...built, ...filesOf(publicFolder)]);
        const source = (await program()).replaceAll("__SITE_FILES__", () => JSON.stringify(files));
        // Its folder is its scope.
        this.emitFile({ type: "asset", fileName: name, source });
        this.info(`${files.first.length} files are kept at once, ${files.later.length} later`);
      },
    },
  };
}

/** Built by itself: a service worker is one file, and shares none with the pages. */
async function program(): Promise<string> {
  const built = await build({
    configFile: false,
    publicDir: false,
    logLevel: "warn",
    build: { write: false, target: "es2022", rolldownOptions: { input: "src/sw/worker.ts" } },
  });
  const [chunk, ...others] = (built as Rolldown.RolldownOutput).output;
  if (others.length > 0) throw new Error(`${name} must be one file, but there are ${others.length + 1}`);
  return chunk.code;
}

interface Content {
  readonly url: string;
  readonly bytes: Buffer;
}

function sorted(contents: readonly Content[]): SiteFiles {
  const entry = ({ url, bytes }: Content): SiteFile => ({
    url,
    // Vite names what lies in assets/ after its content.
    revision: url.startsWith("assets/") ? null : createHash("sha256").update(bytes).digest("hex").slice(0, 16),
  });
  const isLarge = ({ bytes }: Content): boolean => bytes.length > large;
  return {
    first: contents.filter((content) => !isLarge(content)).map(entry),
    later: contents.filter(isLarge).map(entry),
  };
}

function filesOf(folder: string): Content[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map(({ parentPath, name: file }) => join(parentPath, file))
    .map((path) => ({ url: relative(folder, path).replaceAll("\\", "/"), bytes: readFileSync(path) }));
}
