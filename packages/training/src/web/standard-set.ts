import { ArgumentError } from "@ocelli/core";
import { readTarGz } from "../data/archive.js";
import { gunzip, isGzip } from "../data/gunzip.js";
import type { NamedBytes } from "../data/idx.js";
import {
  checkFileSize,
  describeFiles,
  isEnough,
  type LoadedDataset,
  readSplits,
  spellings,
} from "../data/source-files.js";
import { type DatasetSource, type SourceFile, sources } from "../data/sources.js";
import { type LocatedFile, located } from "./located.js";

/** One of the sets that {@link standardSet} knows. */
export interface StandardSet extends LoadedDataset {
  readonly dataset: keyof typeof sources;
}

/** A set's files in one folder, by what they are. */
interface Candidate {
  readonly place: string;
  readonly source: DatasetSource;
  readonly found: ReadonlyMap<SourceFile, LocatedFile>;
}

const all: readonly DatasetSource[] = Object.values(sources);
const isArchive = (path: string): boolean => /\.(tar\.gz|tgz)$/i.test(path);
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/**
 * MNIST, Fashion-MNIST, CIFAR-10 or CIFAR-100 out of files that a user chose or dropped: the files as they are published, plain or gz, or the
 * `.tar.gz` of CIFAR's binary versions, in any folder. Files are known by their names; MNIST's two are told apart by their first labels. Of
 * CIFAR-10, some of the five training files are enough (and a warning).
 * @throws ArgumentError that lists what was looked for and what was there; FormatError for damaged files
 */
export async function standardSet(
  files: Iterable<File | LocatedFile>,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<StandardSet> {
  const given = [...files].map(located);
  const unpacked: LocatedFile[] = [];
  for (const file of given) {
    signal?.throwIfAborted();
    unpacked.push(...(isArchive(file.path) ? await unpack(file, signal) : [file]));
  }
  const { source, found, place } = await choose(given, candidatesIn(unpacked));
  const read = new Map<SourceFile, NamedBytes>();
  for (const [known, { path, file }] of found) {
    signal?.throwIfAborted();
    checkFileSize(source, path, file.size);
    read.set(known, { file: path, bytes: new Uint8Array(await file.arrayBuffer()) });
  }
  const missing = source.files.filter((file) => !read.has(file));
  const loaded = await readSplits(source, { files: read, place: place || "the files", missing });
  return { dataset: source.name as StandardSet["dataset"], ...loaded };
}

/** The files in an archive that any set has, as if they lay in a folder of its name. */
async function unpack({ path, file }: LocatedFile, signal: AbortSignal | undefined): Promise<LocatedFile[]> {
  const names = new Set(all.flatMap((source) => source.files.flatMap(spellings)));
  const maxBytes = Math.max(...all.map((source) => source.maxBytes));
  const entries = await readTarGz(path, file.stream(), { names, maxBytes, ...(signal && { signal }) });
  return [...entries].map(([name, bytes]) => ({
    path: `${path}/${name}`,
    file: new Blob([bytes as Uint8Array<ArrayBuffer>]),
  }));
}

/** Every set in every folder; and in all folders together, since some systems unpack each file into one of its own. */
function candidatesIn(files: readonly LocatedFile[]): Candidate[] {
  const folders = [...new Set(files.map(({ path }) => folderOf(path)))].sort();
  const inFolders = folders.flatMap((place) =>
    inPlace(
      place,
      files.filter(({ path }) => folderOf(path) === place),
    ),
  );
  return inFolders.some(isWhole) ? inFolders : [...inFolders, ...inPlace("", files)];
}

function inPlace(place: string, files: readonly LocatedFile[]): Candidate[] {
  const byName = new Map(files.map((file) => [nameOf(file.path), file]));
  return all.map((source) => {
    const found = source.files.flatMap((file) => {
      const name = spellings(file).find((spelling) => byName.has(spelling));
      return name === undefined ? [] : [[file, byName.get(name) as LocatedFile] as const];
    });
    return { place, source, found: new Map(found) };
  });
}

const isWhole = ({ source, found }: Candidate): boolean => isEnough(source, found);

async function choose(given: readonly LocatedFile[], candidates: readonly Candidate[]): Promise<Candidate> {
  const whole = candidates.filter(isWhole);
  const right: Candidate[] = [];
  for (const candidate of whole) if (await isItself(candidate)) right.push(candidate);
  if (right.length === 1) return right[0] as Candidate;
  if (right.length === 0) throw nothingFound(given, candidates);
  const list = right.map(({ source, place }) => `${source.name} in ${place || "the files"}`).join(", ");
  throw new ArgumentError(`standardSet: there are several sets: ${list}; choose the files of one`, { found: list });
}

/** First labels of the test files: MNIST and Fashion-MNIST name theirs alike. */
const firstLabels: Readonly<Record<string, readonly number[]>> = {
  mnist: [7, 2, 1, 0, 4, 1, 4, 9],
  "fashion-mnist": [9, 2, 1, 1, 6, 1, 4, 6],
};

/** Whether files of names that two sets share are this one's. Labels that are neither's: a set made after MNIST's form, so the folder says. */
async function isItself({ source, found }: Candidate): Promise<boolean> {
  if (firstLabels[source.name] === undefined) return true;
  const [, labels] = [...found].find(([{ split, kind }]) => split === "test" && kind === "labels") as [
    SourceFile,
    LocatedFile,
  ];
  const head = await headOf(labels, 8 + 8);
  const isOf = (name: string): boolean => firstLabels[name]?.every((label, i) => head[8 + i] === label) ?? false;
  const [known] = Object.keys(firstLabels).filter(isOf);
  return source.name === (known ?? (/fashion/i.test(labels.path) ? "fashion-mnist" : "mnist"));
}

async function headOf({ path, file }: LocatedFile, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(await file.slice(0, 4096).arrayBuffer());
  if (!isGzip(bytes)) return bytes.subarray(0, length);
  // What is wrong with it is said when it is read.
  const whole = new Uint8Array(await file.arrayBuffer());
  const inflated = await gunzip(whole, path, { bytes: length, sizeOf: () => length }).catch(() => undefined);
  return inflated?.bytes ?? new Uint8Array(0);
}

function nothingFound(given: readonly LocatedFile[], candidates: readonly Candidate[]): ArgumentError {
  const paths = given.map(({ path }) => path);
  const nearest = candidates.filter(({ found }) => found.size > 0);
  const looked = nearest.length > 0 ? nearest : inPlace("", []);
  const lines = looked.map(({ source, place, found }) =>
    describeFiles(source, `${source.name} in ${place || "the files"}`, found),
  );
  const came =
    paths.length === 0
      ? "no files came"
      : `${paths.length} files came (${paths.slice(0, 5).join(", ")}${paths.length > 5 ? ", ..." : ""})`;
  const python = paths.some((path) => /(^|\/)(data_batch_\d|test_batch|cifar-100?-python.*)$/.test(path));
  const hint = python
    ? "\nThese are CIFAR's files for Python; the binary version is needed (cifar-10-binary.tar.gz)"
    : "";
  return new ArgumentError(
    `standardSet: there is no complete set: ${came}; looked for\n${lines.join("\n")}\nor cifar-10-binary.tar.gz, cifar-100-binary.tar.gz${hint}`,
    { files: paths },
  );
}
