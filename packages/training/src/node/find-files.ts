import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ArgumentError, FormatError } from "@ocelli/core";
import type { NamedBytes } from "../data/idx.js";
import { readTarGz } from "./archive.js";
import type { DatasetSource, SourceFile } from "./sources.js";

/** The files of a dataset, found and read. */
export interface FoundFiles {
  readonly files: ReadonlyMap<SourceFile, NamedBytes>;
  /** The folder or the archive that they are from. */
  readonly place: string;
  /** Optional files that are not there. */
  readonly missing: readonly SourceFile[];
}

interface FindOptions {
  readonly signal?: AbortSignal;
}

/**
 * Reads a dataset's files from the first of its folders below `folder` that has them all, or from an archive there.
 * @throws ArgumentError that lists what was looked for, where, and what was there
 */
export async function findFiles(source: DatasetSource, folder: string, options: FindOptions = {}): Promise<FoundFiles> {
  const looked: string[] = [];
  for (const below of source.folders) {
    const place = join(folder, below);
    const paths = await locate(source, place);
    if (isEnough(source, paths)) return { ...(await readAll(source, paths, options)), place };
    const archive = await findArchive(source, place);
    if (archive !== undefined) return unpack(source, archive, options);
    looked.push(describe(source, place, paths));
  }
  const archives = archiveNames(source);
  const or = archives.length > 0 ? `\nor ${archives.join(", ")} in one of these folders` : "";
  throw new ArgumentError(
    `no complete ${source.name} below the data folder (--data-dir) ${folder}; looked for\n${looked.join("\n")}${or}`,
    {
      dataset: source.name,
      folder,
      files: source.files.map((file) => file.name),
    },
  );
}

/** Is the dataset in `place` itself, whole? */
export async function isComplete(source: DatasetSource, place: string): Promise<boolean> {
  return (await locate(source, place)).size === source.files.length;
}

async function locate(source: DatasetSource, place: string): Promise<Map<SourceFile, string>> {
  const paths = new Map<SourceFile, string>();
  for (const file of source.files) {
    for (const name of spellings(file)) {
      const path = join(place, name);
      if (!(await isFile(path))) continue;
      paths.set(file, path);
      break;
    }
  }
  return paths;
}

function spellings(file: SourceFile): string[] {
  const names = [file.name, ...(file.aliases ?? [])];
  // CIFAR's files are distributed in an archive, never as single gz files.
  return file.kind === "records" ? names : names.flatMap((name) => [name, `${name}.gz`]);
}

function isEnough(source: DatasetSource, paths: ReadonlyMap<SourceFile, string>): boolean {
  const needed = source.files.every((file) => file.partial || paths.has(file));
  const splits = new Set([...paths.keys()].map((file) => file.split));
  return needed && splits.size === 2;
}

function describe(source: DatasetSource, place: string, paths: ReadonlyMap<SourceFile, string>): string {
  const names = source.files.map((file) => `${file.name}${paths.has(file) ? " (found)" : ""}`);
  const gz = source.files.some((file) => file.kind !== "records") ? " (each with or without .gz)" : "";
  return `  ${place}: ${names.join(", ")}${gz}`;
}

async function readAll(source: DatasetSource, paths: ReadonlyMap<SourceFile, string>, { signal }: FindOptions) {
  const files = new Map<SourceFile, NamedBytes>();
  for (const [file, path] of paths) {
    const { size } = await stat(path);
    if (size > source.maxBytes) {
      throw new FormatError(`${path}: has ${size} bytes; no file of ${source.name} has more than ${source.maxBytes}`, {
        file: path,
        size,
      });
    }
    files.set(file, { file: path, bytes: await readFile(path, signal ? { signal } : {}) });
  }
  return { files, missing: source.files.filter((file) => !files.has(file)) };
}

export function archiveNames(source: DatasetSource): string[] {
  return source.downloads.map(({ name }) => name).filter((name) => name.endsWith(".tar.gz"));
}

async function findArchive(source: DatasetSource, place: string): Promise<string | undefined> {
  for (const name of archiveNames(source)) if (await isFile(join(place, name))) return join(place, name);
  return undefined;
}

/** Reads the dataset's files out of an archive. @throws FormatError when one is not in it */
export async function unpack(
  source: DatasetSource,
  archive: string,
  { signal }: FindOptions = {},
): Promise<FoundFiles> {
  const names = new Set(source.files.map((file) => file.name));
  const entries = await readTarGz(archive, { names, maxBytes: source.maxBytes, ...(signal && { signal }) });
  const files = new Map<SourceFile, NamedBytes>();
  for (const file of source.files) {
    const bytes = entries.get(file.name);
    if (!bytes) throw new FormatError(`${archive}: holds no ${file.name}`, { file: archive, name: file.name });
    files.set(file, { file: `${archive}:${file.name}`, bytes });
  }
  return { files, place: archive, missing: [] };
}

export async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ?? false;
}
