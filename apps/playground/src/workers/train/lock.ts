import { StateError } from "@ocelli/core";

const nameOf = (id: string): string => `ocelli-run:${id}`;

/** Old browsers have none; there, two tabs that train one network write one after the other. */
const manager = (): LockManager | undefined => (navigator as Partial<Navigator>).locks;

/** A page that is reloaded leaves its locks a moment later. */
const patience = 2000;

/**
 * Claims a run for this tab, until the function that it gives is called or the page dies.
 * @throws StateError when another tab has it
 */
export async function claimRun(id: string): Promise<() => void> {
  const locks = manager();
  if (locks === undefined) return () => undefined;
  return new Promise((resolve, reject) => {
    const claimed = locks.request(nameOf(id), { signal: AbortSignal.timeout(patience) }, () => {
      // Held for as long as this promise waits.
      return new Promise<void>((release) => resolve(release));
    });
    claimed.catch(() =>
      reject(
        new StateError(
          "This network is being trained in another tab. Pause and close it there to go on here; nothing was changed.",
          { id },
        ),
      ),
    );
  });
}

/** Runs that some tab of the site has open. */
export async function claimedRuns(): Promise<(id: string) => boolean> {
  const { held = [] } = (await manager()?.query()) ?? {};
  const names = new Set(held.map(({ name }) => name));
  return (id) => names.has(nameOf(id));
}
