import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { chromium } from "playwright";
import { preview } from "vite";
import { root } from "../run.mjs";

/** A built site, served, and a browser with the software adapter. `url` ends with a slash. */
export async function openSite({ site, executablePath }) {
  if (!existsSync(join(site, "index.html"))) throw new Error(`${site} holds no site: npm run build makes it`);
  const server = await preview({
    // Its configuration sends the headers that give pages threads.
    root: join(root, "apps/playground"),
    logLevel: "error",
    build: { outDir: resolve(site) },
    preview: { host: "127.0.0.1" },
  });
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
  });
  return {
    url: server.resolvedUrls.local[0],
    browser,
    close: async () => {
      await browser.close();
      await server.close();
    },
  };
}
