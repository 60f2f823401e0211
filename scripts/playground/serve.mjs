// Serves the built playground until Ctrl-C.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "../run.mjs";

const usage = "npm run playground -- [--port N] [--no-open]";

/** What the command line asks for, or an error that says what it takes. */
export function servingOptions(args) {
  try {
    const options = { port: { type: "string" }, "no-open": { type: "boolean", default: false } };
    const { port, "no-open": closed } = parseArgs({ args, options }).values;
    if (port !== undefined && !/^[1-9]\d{0,4}$/.test(port))
      throw new Error(`--port takes a number, and "${port}" is none`);
    return { port: port && Number(port), open: !closed && hasScreen() };
  } catch (error) {
    return { problem: `${error.message}\nusage: ${usage}` };
  }
}

function hasScreen() {
  const { CI, DISPLAY, WAYLAND_DISPLAY } = process.env;
  return !CI && (process.platform !== "linux" || Boolean(DISPLAY || WAYLAND_DISPLAY));
}

/** Without a port: the first free one from 4173 on. */
export async function serve({ port, open }) {
  // Not installed yet when this file is loaded.
  const { preview } = await import("vite");
  let server;
  try {
    server = await preview({
      root: join(root, "apps/playground"),
      logLevel: "warn",
      preview: { open, ...(port && { port, strictPort: true }) },
    });
  } catch (error) {
    console.error(`error: the playground cannot be served: ${error.message}. Another port: ${usage}`);
    return { code: 1 };
  }
  console.log(`The playground is at ${server.resolvedUrls.local[0]} (Ctrl-C ends it)`);
  await new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve);
  });
  await server.close();
  return { code: 0 };
}
