import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UsageError } from "./errors.js";

/** Told before the work, not after it. */
export async function checkOutput(path: string, flag = "-o "): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory()) throw new UsageError(`${flag}${path} is a folder; the name of a file is needed`);
  // Renaming over a device would replace it.
  if (there !== undefined && !there.isFile()) throw new UsageError(`${flag}${path} is no ordinary file`);
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) throw new UsageError(`${flag}${path}: there is no folder ${dirname(path)}`);
}

/** The same for a drawing, whose flag names the format: `--svg x.svg`. */
export async function checkDrawing(path: string | undefined, format: "svg" | "html"): Promise<void> {
  if (path === undefined) return;
  if (!path.toLowerCase().endsWith(`.${format}`))
    throw new UsageError(`--${format} ${path}: it writes ${format.toUpperCase()}; name a file that ends in .${format}`);
  await checkOutput(path, `--${format} `);
}
