import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { serve } from "./server.js";

export interface BuiltSite {
  readonly url: string;
  readonly folder: string;
}

declare module "vitest" {
  interface ProvidedContext {
    /** The browser's program. */
    readonly chromium: string;
    /** The site's address and the folder that holds it, or why there is none. */
    readonly site: BuiltSite | { readonly missing: string };
  }
}

/**
 * Serves the built site to all test files. `OCELLI_SITE` names another folder than dist, or the address of a development server
 * (`npm run dev`), which saves building while one writes a page.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.OCELLI_SITE ?? "";
  if (given.startsWith("http")) {
    project.provide("site", { url: given.endsWith("/") ? given : `${given}/`, folder: "" });
    return undefined;
  }
  const folder = given === "" ? fileURLToPath(new URL("../dist", import.meta.url)) : resolve(given);
  if (!existsSync(join(folder, "index.html"))) {
    project.provide("site", { missing: `${folder} holds no built site (npm run build makes it)` });
    return undefined;
  }
  const { url, close } = await serve(folder);
  project.provide("site", { url, folder });
  return close;
}
