import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type LaunchOptions,
  type Page,
} from "playwright";
import { afterAll, expect, inject, test } from "vitest";
import type { BuiltSite } from "./global-setup.js";
import { type ServeOptions, serve } from "./server.js";

export interface StoryOptions {
  /** false: a browser without WebGPU, so that WebAssembly computes. */
  readonly webgpu?: boolean;
  /** 390 x 844 CSS pixels, with touch. */
  readonly phone?: boolean;
  /** A profile on disk, which outlives its browser: see `restart`. */
  readonly persistent?: boolean;
  /** The site's service worker installs itself; elsewhere it is left out, which saves each story from filling a cache of its own. */
  readonly serviceWorker?: boolean;
  /** A server of the story's own, which it may close; `folder`: left out, the built site. */
  readonly serve?: ServeOptions & { readonly folder?: string };
  /** Errors on the console that belong to the story: a picture that is missing on purpose, a server that is gone. */
  readonly expected?: RegExp;
  /** Milliseconds. */
  readonly timeout?: number;
  /** Of the browser's context: permissions, colour scheme, size. */
  readonly context?: BrowserContextOptions;
}

export interface Story {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Goes to a page of the site: "/train", "/try?c=...". A second tab is `context.newPage()` with its `goto(url("/train"))`. */
  open(path: string): Promise<void>;
  /** The address of a page of the site. */
  url(path: string): string;
  /** Ends the server, where the story has one of its own. */
  unplug(): Promise<void>;
  /** Closes the browser as if its machine had gone off, and opens it again with the same profile: for stories that are `persistent`. */
  restart(): Promise<Story>;
}

type Run = (story: Story) => Promise<void>;

/**
 * A test as a person does it, in a fresh profile of Chromium on the built site. Fails on what the page did not catch, on errors on the
 * console (a breach of the Content-Security-Policy is one), and on requests to anywhere but the site.
 */
export function story(name: string, run: Run): void;
export function story(name: string, options: StoryOptions, run: Run): void;
export function story(name: string, ...rest: [Run] | [StoryOptions, Run]): void {
  const [options, run] = rest.length === 1 ? [{}, rest[0]] : rest;
  const site = inject("site");
  if ("missing" in site) {
    if ((process.env.OCELLI_REQUIRE ?? "").includes("browser")) throw new Error(`playground: ${site.missing}`);
    test.skip(`${name}: ${site.missing}`);
    return;
  }
  test(name, { timeout: options.timeout ?? 60_000 }, () => tell(run, options, site));
}

async function tell(run: Run, options: StoryOptions, built: BuiltSite): Promise<void> {
  const { serve: own } = options;
  const site = own === undefined ? built : await serve(own.folder ?? built.folder, own);
  const stage = new Stage(options, site.url);
  try {
    const unplug = async (): Promise<void> => {
      if (!("close" in site)) throw new Error("only a story with `serve` unplugs its server");
      await site.close();
    };
    await run(await stage.begin(unplug));
    // The last messages of a page are on their way.
    for (const page of stage.context.pages()) await page.evaluate(() => undefined).catch(() => undefined);
  } catch (error) {
    if (error instanceof Error && stage.faults.length > 0)
      error.message += `\nerrors of the page: ${stage.faults.join("\n")}`;
    throw error;
  } finally {
    await stage.end();
    if ("close" in site) await site.close();
  }
  expect(stage.faults, "errors of the page").toEqual([]);
}

/** A story's browser, with the site's address; it may close and open again. */
class Stage {
  readonly faults: string[] = [];
  context!: BrowserContext;
  readonly #options: StoryOptions;
  readonly #site: string;
  readonly #profile: string | undefined;

  constructor(options: StoryOptions, site: string) {
    this.#options = options;
    this.#site = site;
    this.#profile = options.persistent ? mkdtempSync(join(tmpdir(), "ocelli-profile-")) : undefined;
  }

  async begin(unplug: Story["unplug"]): Promise<Story> {
    const context = await openContext(this.#options, this.#profile);
    this.context = context;
    watch(context, this.#site, (fault) => {
      if (this.#options.expected?.test(fault) !== true) this.faults.push(fault);
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const url = (path: string): string => `${this.#site}#${path}`;
    return {
      page,
      context,
      url,
      unplug,
      open: async (path) => {
        await page.goto(url(path));
        await page.getByRole("heading", { level: 1 }).first().waitFor();
      },
      restart: async () => {
        if (this.#profile === undefined) throw new Error("only a story that is `persistent` restarts its browser");
        await context.close();
        return this.begin(unplug);
      },
    };
  }

  async end(): Promise<void> {
    await this.context?.close();
    if (this.#profile !== undefined) rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

function watch(context: BrowserContext, site: string, fault: (text: string) => void): void {
  context.on("console", (message) => {
    if (message.type() === "error") fault(`console: ${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => fault(`uncaught: ${error.error().stack ?? error.error()}`));
  context.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== new URL(site).origin) fault(`request to ${request.url()}`);
  });
  context.on("page", (page) => page.on("crash", () => fault(`${page.url()} crashed`)));
}

/** One browser for all stories of a file that need the same kind. */
const browsers = new Map<boolean, Promise<Browser>>();
afterAll(async () => {
  for (const browser of browsers.values()) await (await browser).close();
  browsers.clear();
});

async function openContext(options: StoryOptions, profile: string | undefined): Promise<BrowserContext> {
  const { webgpu = true, phone = false, serviceWorker = false } = options;
  const given: BrowserContextOptions = {
    // Colours are measured at rest, and nothing is waited for that only moves.
    reducedMotion: "reduce",
    serviceWorkers: serviceWorker ? "allow" : "block",
    viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 900 },
    ...(phone && { hasTouch: true, isMobile: true, deviceScaleFactor: 2 }),
    ...options.context,
  };
  const context = await (profile === undefined
    ? browserWith(webgpu).then((browser) => browser.newContext(given))
    : chromium.launchPersistentContext(profile, { ...launchOptions(webgpu), ...given }));
  await context.addInitScript(() => {
    const found: LongTask[] = [];
    Object.assign(globalThis, { ocelliLongTasks: found });
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) found.push({ start: startTime, duration });
    }).observe({ type: "longtask", buffered: true });
  });
  return context;
}

function browserWith(webgpu: boolean): Promise<Browser> {
  let browser = browsers.get(webgpu);
  if (browser === undefined) {
    browser = chromium.launch(launchOptions(webgpu));
    browsers.set(webgpu, browser);
  }
  return browser;
}

function launchOptions(webgpu: boolean): LaunchOptions {
  const linux = process.platform === "linux";
  const adapter = ["--enable-unsafe-webgpu", ...(linux ? ["--use-webgpu-adapter=swiftshader"] : [])];
  return {
    executablePath: inject("chromium"),
    args: [...(linux ? ["--no-sandbox"] : []), ...(webgpu ? adapter : ["--disable-gpu"])],
  };
}

/** What part of the page the keyboard is at; "body": it has lost its place. */
export const keyboardAt = (page: Page): Promise<string> =>
  page.evaluate(() => document.activeElement?.tagName.toLowerCase() ?? "body");

/** A stretch in which the page could not answer: milliseconds since its start, and how many. */
export interface LongTask {
  readonly start: number;
  readonly duration: number;
}

/** What kept the page's main thread busy for over 50 ms since it was opened, or since `since` (its `performance.now()`). */
export async function longTasks(page: Page, since = 0): Promise<LongTask[]> {
  const all = await page.evaluate(() => (globalThis as unknown as { ocelliLongTasks: LongTask[] }).ocelliLongTasks);
  return all.filter(({ start }) => start >= since);
}

/** Runs axe (WCAG 2.2 A and AA, and its best practices) on the page as it is now, light and dark; fails on each violation. */
export async function accessible(page: Page): Promise<void> {
  // Evaluated by the debugger, which no Content-Security-Policy forbids.
  await page.evaluate(axe.source);
  const found: string[] = [];
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      const page = globalThis as unknown as { axe: typeof axe };
      return (await page.axe.run()).violations;
    });
    for (const { id, help, nodes } of violations)
      for (const { target, failureSummary } of nodes)
        found.push(`${colorScheme}: ${id} (${help})\n  at ${target.join(" ")}\n  ${failureSummary}`);
  }
  expect(found, "accessibility").toEqual([]);
}
