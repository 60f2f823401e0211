import { signal } from "@preact/signals";

/** Loads the version that waits or has taken over; undefined: there is none but this one. */
export const newVersion = signal<(() => void) | undefined>(undefined);

const hour = 3_600_000;
/** So long after its start, a page has loaded what it needs, milliseconds. */
const settled = 8_000;

/** Keeps the site for times without a network, and watches for new versions of it. Fails in silence: with a network all works as before. */
export async function workOffline(): Promise<void> {
  // In a private window or on a page without https there is none.
  if (!("serviceWorker" in navigator)) return;
  try {
    const registration = await navigator.serviceWorker.register(new URL("sw.js", document.baseURI), {
      updateViaCache: "none",
    });
    offerNewVersions(registration);
    await navigator.serviceWorker.ready;
    setTimeout(() => fill(registration), settled);
  } catch {
    // Denied, or storage is full.
  }
}

function offerNewVersions(registration: ServiceWorkerRegistration): void {
  const { serviceWorker } = navigator;
  // The first one is no new version.
  if (serviceWorker.controller === null) return;
  let asked = false;
  const offer = (worker: ServiceWorker): void => {
    newVersion.value = () => {
      asked = true;
      worker.postMessage("take over");
    };
  };
  if (registration.waiting !== null) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed") offer(worker);
    });
  });
  serviceWorker.addEventListener("controllerchange", () => {
    if (asked) location.reload();
    // Another tab asked. What runs here is not interrupted.
    else newVersion.value = () => location.reload();
  });
  let looked = Date.now();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || Date.now() - looked < hour) return;
    looked = Date.now();
    registration.update().catch(() => undefined);
  });
}

/** WebAssembly and weights are many megabytes: not for those who count them. */
function fill({ active }: ServiceWorkerRegistration): void {
  const { connection } = navigator as { readonly connection?: { readonly saveData: boolean } };
  if (connection?.saveData !== true) active?.postMessage("fill");
}
