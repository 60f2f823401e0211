import { defineConfig, type Plugin } from "vite";

/** Two headers that give pages threads; where a host does not send them, WebAssembly runs on one. */
const isolation = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };

const policy = [
  "default-src 'self'",
  // WebAssembly is compiled at run time; no text ever becomes a script.
  "script-src 'self' 'wasm-unsafe-eval'",
  // Charts measure and place their parts by inline styles.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "connect-src 'self' blob: data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/** In the built page only: the development server sends scripts of its own. */
const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: policy }, injectTo: "head-prepend" },
  ],
};

export default defineConfig({
  // Any folder of any host serves it.
  base: "./",
  plugins: [contentSecurityPolicy],
  // Lowers `using`, which the development server does not do by itself.
  oxc: { target: "es2022", jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2022", chunkSizeWarningLimit: 1500 },
  worker: { format: "es" },
  optimizeDeps: { include: ["onnxruntime-web/wasm"], exclude: ["onnxruntime-node", "webgpu"] },
  server: { headers: isolation },
  preview: { headers: isolation },
});
