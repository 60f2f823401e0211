import { gzipSync } from "node:zlib";
import type { Response } from "playwright";
import { expect } from "vitest";
import { accessible, story } from "./harness.js";

const pages = ["Architectures", "Train", "Try", "Lessons", "Take it away"];

/** Bytes that a site's first visitor loads for the start page, as a host that compresses sends them. */
const budget = 250_000;

story("the start page is small, and soon ready", async ({ page, url }) => {
  const responses: Response[] = [];
  page.on("response", (response) => responses.push(response));
  const started = performance.now();
  await page.goto(url("/"));
  await page.getByRole("button", { name: /^Colours: system/ }).click();
  await page.getByRole("button", { name: /^Colours: light/ }).waitFor();
  const ready = performance.now() - started;
  await page.getByText(/WebGPU/).waitFor();
  const sizes = await Promise.all(responses.map(async (response) => gzipSync(await response.body()).length));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`start page: ${(bytes / 1000).toFixed(0)} kB gzipped, answers after ${(ready / 1000).toFixed(2)} s`);
  expect(bytes).toBeLessThan(budget);
  // Two seconds on a machine that does nothing else.
  expect(ready).toBeLessThan(3 * 2000);
});

story("every page opens from the header, by the keyboard alone", async ({ page, open }) => {
  await open("/");
  await accessible(page);
  for (const name of pages) {
    const link = page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name });
    await link.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1 }).waitFor();
    await expect.poll(() => link.getAttribute("aria-current")).toBe("page");
    expect(await page.title()).toContain(name);
    // Who tabs on comes to the page, and not through the header again.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
  }
});

story(
  "the five doors lead to the pages, on a phone without scrolling sideways",
  { phone: true },
  async ({ page, open }) => {
    for (const name of pages) {
      await open("/");
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
      await page.getByRole("main").getByRole("link", { name }).tap();
      await expect.poll(() => page.title()).toContain(name);
      await page.getByRole("heading", { level: 1 }).waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBe(390);
    }
  },
);

story("colours are chosen for all tabs, and kept", async ({ page, context, open, url }) => {
  const themeOf = (tab: typeof page) => tab.evaluate(() => document.documentElement.dataset.theme);
  await open("/");
  const other = await context.newPage();
  await other.goto(url("/"));
  await page.getByRole("button", { name: /^Colours: system/ }).click();
  await page.getByRole("button", { name: /^Colours: light/ }).click();
  await expect.poll(() => themeOf(other)).toBe("dark");
  await other.reload();
  expect(await themeOf(other)).toBe("dark");
});

story("an address of no page, and a damaged link, say so in place", async ({ page, open, url }) => {
  await page.goto(url("/nowhere"));
  await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  await page.getByRole("link", { name: "Go to the start" }).click();
  await page.getByRole("heading", { level: 1 }).waitFor();
  await open("/train?c=1.%%%");
  await page.getByRole("alert").getByText("The link could not be followed").waitFor();
});

story("a file that is dropped beside its place does not replace the page", async ({ page, open }) => {
  await open("/");
  const kept = await page.evaluate(() => {
    const drop = new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: new DataTransfer() });
    document.body.dispatchEvent(drop);
    return drop.defaultPrevented;
  });
  expect(kept).toBe(true);
});
