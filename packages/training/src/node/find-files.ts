import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { ArgumentError, FormatError } from "@ocelli/core";
import { readTarGz } from "../data/archive.js";
import type { NamedBytes } from "../data/idx.js";
import { checkFileSize, describeFiles, type FoundFiles, isEnough, spellings } from "../data/source-files.js";
import type { DatasetSource, SourceFile } from "../data/sources.js";

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
    looked.push(describeFiles(source, place, paths));
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

async function readAll(source: DatasetSource, paths: ReadonlyMap<SourceFile, string>, { signal }: FindOptions) {
  const files = new Map<SourceFile, NamedBytes>();
  for (const [file, path] of paths) {
    const { size } = await stat(path);
    checkFileSize(source, path, size);
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
  const compressed = Readable.toWeb(createReadStream(archive, { highWaterMark: 2 ** 18 }));
  const selection = { names, maxBytes: source.maxBytes, ...(signal && { signal }) };
  const entries = await readTarGz(archive, compressed as ReadableStream<BufferSource>, selection);
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
