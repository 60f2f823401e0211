// Pictures of the playground's pages for the READMEs: `npm run build`, then `node scripts/playground/screenshots.mjs [--only NAME]`.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../run.mjs";
import { openSite } from "./open-site.mjs";
import { shots } from "./shots.mjs";

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    out: { type: "string", default: join(root, "docs/pictures") },
    chromium: { type: "string", default: process.env.CHROME || "/usr/bin/chromium" },
    site: { type: "string", default: join(root, "apps/playground/dist") },
  },
});
const wanted = shots.filter(({ name }) => options.only === undefined || name === options.only);
if (wanted.length === 0) throw new Error(`--only takes one of ${shots.map(({ name }) => name).join(", ")}`);

mkdirSync(options.out, { recursive: true });
const { url, browser, close } = await openSite({ site: options.site, executablePath: options.chromium });
try {
  for (const shot of wanted) await take(shot);
} finally {
  await close();
}

async function take({ name, path, width = 1280, height = 800, dark = false, prepare }) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    serviceWorkers: "block",
  });
  const page = await context.newPage();
  await page.goto(`${url}#${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await prepare?.(page);
  const file = join(options.out, `playground-${name}.png`);
  await page.screenshot({ path: file });
  console.log(file);
  await context.close();
}
