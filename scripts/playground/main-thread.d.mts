import type { Page } from "playwright";

/** Watches the page's own thread; `end()` gives the processor time of each piece of its work, in ms, the longest first. */
export function watchMainThread(page: Page): Promise<{ end(): Promise<readonly number[]> }>;
