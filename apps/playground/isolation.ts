/** Two headers that give pages threads: sent by the servers here; on other hosts, the service worker adds them (src/sw/isolation.ts). */
export const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
} as const;
