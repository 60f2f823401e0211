import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright";
import { afterAll, expect, inject } from "vitest";
import { story } from "./harness.js";

const paths = ["/architectures", "/train", "/try", "/lessons", "/take-away", "/"];
/** Some hosts of files send no headers that isolate pages. */
const noHeaders = {};

/** Resolves once the service worker keeps the site. */
const kept = (page: Page): Promise<unknown> => page.evaluate(() => navigator.serviceWorker.ready.then(() => "kept"));

/** Addresses of the large files that are kept. */
const large = (page: Page): Promise<string[]> =>
  page.evaluate(async () => (await (await caches.open("ocelli-later")).keys()).map(({ url }) => url));

story(
  "without a network, every page of a site that was once open opens, under any path, isolated where the host isolates none",
  { serviceWorker: true, serve: { base: "/some/folder/", headers: noHeaders } },
  async ({ page, open, unplug }) => {
    const isolated = () => page.evaluate(() => crossOriginIsolated);
    await page.clock.install();
    await open("/");
    expect(await isolated()).toBe(false);
    await kept(page);
    // What is large comes when the page has long been ready.
    expect(await large(page)).toEqual([]);
    await page.clock.fastForward(10_000);
    await expect.poll(() => large(page), { timeout: 30_000 }).toContainEqual(expect.stringMatching(/\.wasm$/));
    await unplug();
    await page.reload();
    // Which gives WebAssembly threads.
    expect(await isolated()).toBe(true);
    for (const path of paths) await open(path);
    const [program] = await large(page);
    expect(await page.evaluate(async (url) => (await fetch(url)).status, program as string)).toBe(200);
  },
);

const site = inject("site");
const folder = mkdtempSync(join(tmpdir(), "ocelli-site-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The next version of the site, as a host would have it afterwards. */
function publish(): void {
  const page = join(folder, "index.html");
  writeFileSync(page, readFileSync(page, "utf8").replace("<head>", '<head><meta name="version" content="next">'));
  const worker = join(folder, "sw.js");
  const revised = readFileSync(worker, "utf8").replace(/("?url"?:\s*"index\.html","?revision"?:")\w+/, "$1next");
  writeFileSync(worker, revised);
}

story(
  "a new version is offered in every tab, and loaded where one asks for it",
  { serviceWorker: true, serve: { folder } },
  async ({ page, context, open, url }) => {
    cpSync((site as { folder: string }).folder, folder, { recursive: true });
    const version = (tab: Page) => tab.locator('meta[name="version"]').count();
    await open("/");
    await kept(page);
    await page.reload();
    const other = await context.newPage();
    await other.goto(url("/train"));
    publish();
    await page.reload();
    await page.getByText("A new version is ready").waitFor();
    expect(await version(page)).toBe(0);
    await page.getByRole("button", { name: "Reload" }).click();
    await expect.poll(() => version(page)).toBe(1);
    // The other tab goes on with what it has, until its reader reloads it.
    expect(await version(other)).toBe(0);
    await other.getByRole("button", { name: "Reload" }).click();
    await expect.poll(() => version(other)).toBe(1);
    await expect.poll(() => page.getByText("A new version is ready").count()).toBe(0);
  },
);
