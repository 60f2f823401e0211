import { existsSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright";
import { preview } from "vite";

/** A built site, served, and a browser with the software adapter. `url` ends with a slash. */
export async function openSite({ site, executablePath }) {
  if (!existsSync(join(site, "index.html"))) throw new Error(`${site} holds no site: npm run build makes it`);
  const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
  const server = await preview({
    configFile: false,
    logLevel: "error",
    build: { outDir: site },
    preview: { host: "127.0.0.1", headers: isolation },
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
