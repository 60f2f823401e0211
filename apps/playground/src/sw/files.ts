/** A file of the site, its address relative to the site's folder. */
export interface SiteFile {
  readonly url: string;
  /** Of its bytes, where the name does not say it; null: the name changes with the bytes. */
  readonly revision: string | null;
}

/** Every file of the built site. */
export interface SiteFiles {
  /** All pages and workers: kept at once. */
  readonly first: readonly SiteFile[];
  /** What is large, and needed by some only: kept when it is first used, or when the page has nothing to do. */
  readonly later: readonly SiteFile[];
}
