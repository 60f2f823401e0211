import { defineConfig, type Plugin } from "vite";
import { isolation } from "./isolation.js";
import { serviceWorker } from "./service-worker-plugin.js";

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

/** Layers and errors are told to the reader by the names of their classes. */
const keepNames = { class: true, function: false };
const rolldownOptions = { output: { minify: { compress: { keepNames }, mangle: { keepNames } } } };

export default defineConfig({
  // Any folder of any host serves it.
  base: "./",
  plugins: [contentSecurityPolicy, serviceWorker()],
  // The build without WebGPU and WebNN: graphs on WebGPU are not run by ONNX Runtime here, and its program for that has 28 MB.
  resolve: { alias: [{ find: /^onnxruntime-web$/, replacement: "onnxruntime-web/wasm" }] },
  // Lowers `using`, which the development server does not do by itself.
  oxc: { target: "es2022", jsx: { runtime: "automatic", importSource: "preact" } },
  build: { target: "es2022", chunkSizeWarningLimit: 1500, rolldownOptions },
  worker: { format: "es", rolldownOptions },
  optimizeDeps: { include: ["onnxruntime-web/wasm"], exclude: ["onnxruntime-node", "webgpu"] },
  server: { headers: isolation },
  preview: { headers: isolation },
});
