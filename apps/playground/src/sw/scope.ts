/**
 * What a service worker has and a page has not, as far as it is used here. TypeScript's own library for workers contradicts the one for
 * pages, and both live in one program.
 */
export interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

interface ScopeEvents {
  readonly install: ExtendableEvent;
  readonly activate: ExtendableEvent;
  readonly fetch: FetchEvent;
  readonly message: ExtendableEvent & MessageEvent<unknown>;
}

interface Scope {
  skipWaiting(): Promise<void>;
  addEventListener<Kind extends keyof ScopeEvents>(kind: Kind, listener: (event: ScopeEvents[Kind]) => void): void;
}

/** Of pages, TypeScript thinks. */
export const scope = globalThis as unknown as Scope;
