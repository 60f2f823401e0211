import type { SiteFile } from "./files.js";

const cacheName = "ocelli-later";

/** Files that are kept when they are first used, or when somebody asks for all of them. */
export class LaterFiles {
  /** The key in the cache by the file's address. */
  readonly #keys: ReadonlyMap<string, string>;

  constructor(files: readonly SiteFile[]) {
    this.#keys = new Map(
      files.map(({ url, revision }) => {
        const { href } = new URL(url, location.href);
        return [href, revision === null ? href : `${href}?revision=${revision}`];
      }),
    );
  }

  has(request: Request): boolean {
    return request.method === "GET" && this.#keys.has(request.url);
  }

  /** From the cache, else from the network and then kept. */
  async get(url: string): Promise<Response> {
    const key = this.#keys.get(url) as string;
    const cache = await caches.open(cacheName);
    const kept = await cache.match(key);
    if (kept !== undefined) return kept;
    const response = await fetch(url);
    // A storage that is full is no reason to answer less.
    if (response.ok) await cache.put(key, response.clone()).catch(() => undefined);
    return response;
  }

  /** Fetches what is missing, one file after the other; ends where the network does. */
  async fill(): Promise<void> {
    for (const url of this.#keys.keys()) await this.get(url);
  }

  /** Drops what an earlier version of the site had. */
  async clean(): Promise<void> {
    const cache = await caches.open(cacheName);
    const wanted = new Set(this.#keys.values());
    for (const { url } of await cache.keys()) if (!wanted.has(url)) await cache.delete(url);
  }
}
