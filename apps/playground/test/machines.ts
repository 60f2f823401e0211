import type { BrowserContext } from "playwright";

/** Changes the site's workers, as a machine of another kind would: what `code` says comes first in each. */
export async function beforeWorkers(context: BrowserContext, code: string): Promise<void> {
  await context.route(/\/assets\/worker-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${code}\n${await response.text()}` });
  });
}

/** What plays the graphics card says that it is one; so the site computes on it, however slow it is. */
export const withCard = (context: BrowserContext): Promise<void> =>
  beforeWorkers(
    context,
    `Object.defineProperty(GPUAdapter.prototype, "info", { get: () => ({ vendor: "a card", architecture: "", device: "", description: "" }) });`,
  );

/** As when a driver is started anew: the browser's process for the card ends. */
export async function loseCard(context: BrowserContext): Promise<void> {
  const session = await context.browser()?.newBrowserCDPSession();
  await session?.send("Browser.crashGpuProcess");
}
