// The service worker: keeps the site, so that it works without a network.
import { addPlugins, addRoute, cleanupOutdatedCaches, precache } from "workbox-precaching";
import { isolation } from "../../isolation.js";
import type { SiteFiles } from "./files.js";
import { LaterFiles } from "./later.js";
import { scope } from "./scope.js";

/** Put in by the build: see service-worker-plugin.ts. */
declare const __SITE_FILES__: SiteFiles;
const { first, later } = __SITE_FILES__;

/** Pages and workers are isolated by headers, which gives them threads; some hosts of files cannot send any. */
function isolated(request: Request, response: Response): Response {
  if (!["document", "worker"].includes(request.destination)) return response;
  const { body, status, statusText } = response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(isolation)) headers.set(name, value);
  return new Response(body, { status, statusText, headers });
}

addPlugins([{ handlerWillRespond: async ({ request, response }) => isolated(request, response) }]);
precache([...first]);
// The site has no address that depends on a query.
addRoute({ ignoreURLParametersMatching: [/./] });
cleanupOutdatedCaches();

const laterFiles = new LaterFiles(later);
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  if (laterFiles.has(request))
    event.respondWith(laterFiles.get(request.url).then((response) => isolated(request, response)));
});
scope.addEventListener("activate", (event) => event.waitUntil(laterFiles.clean()));
scope.addEventListener("message", (event) => {
  if (event.data === "fill") event.waitUntil(laterFiles.fill().catch(() => undefined));
  if (event.data === "take over") event.waitUntil(scope.skipWaiting());
});
