import { readFile } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import { ArgumentError, FormatError } from "@ocelli/core";
import { type CsvRow, parseCsv } from "./csv.js";
import { type LabelledFile, makeSplits, type PictureSplits, splitNamed } from "./picture-splits.js";

export interface ImageListOptions {
  /** Class names, in the order of the labels. Default: the labels themselves in order, if they are numbers all up to the largest. */
  readonly classes?: readonly string[] | undefined;
  /** Folder that paths are relative to. Default: that of the list. */
  readonly root?: string | undefined;
}

interface Columns {
  readonly path: number;
  readonly label: number;
  readonly split: number | undefined;
  /** Of a list without names of columns: how many each line has. */
  readonly count?: number;
}

const names = {
  path: ["path", "file", "filename", "file_name", "filepath", "image", "image_path"],
  label: ["label", "class", "category", "target"],
  split: ["split", "set", "subset", "part"],
} as const;

/**
 * The pictures of a list of comma-separated values: path, label and, if you like, `train`, `val` or `test`. A first line with names of
 * columns (`path,label,split` or the like) lets them stand in any order, among others. A label is a class's name, or all are
 * indices from 0. Nothing is decoded yet: see `pictureSource`.
 * @throws FormatError for lines that cannot be meant, with their number; ArgumentError as for `imageFolder`
 */
export async function imageList(list: string, options: ImageListOptions = {}): Promise<PictureSplits> {
  const text = await readFile(list, "utf8").catch((cause) => {
    throw new ArgumentError(`imageList: ${list} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  });
  const rows = parseCsv(list, text);
  const header = headerOf(rows[0]);
  const columns = header ?? unnamedColumns(rows[0]?.fields.length ?? 0);
  const { root = dirname(list) } = options;
  const files = rows.slice(header === undefined ? 0 : 1).map((row) => readRow(list, root, row, columns));
  if (files.length === 0) throw new ArgumentError(`imageList: ${list} lists no pictures`, { list });
  const name = basename(list, extname(list));
  const { labelled, classes } = nameClasses(list, files, options.classes);
  return makeSplits(`imageList: ${list}`, name, labelled, { classes, warnings: [] });
}

function headerOf(row: CsvRow | undefined): Columns | undefined {
  const words = row?.fields.map((word) => word.trim().toLowerCase()) ?? [];
  const find = (known: readonly string[]): number => words.findIndex((word) => known.includes(word));
  const [path, label, split] = [find(names.path), find(names.label), find(names.split)];
  return path < 0 || label < 0 ? undefined : { path, label, split: split < 0 ? undefined : split };
}

const unnamedColumns = (count: number): Columns => ({ path: 0, label: 1, split: count > 2 ? 2 : undefined, count });

interface ListedFile extends LabelledFile {
  readonly line: number;
}

function readRow(list: string, root: string, { line, fields }: CsvRow, columns: Columns): ListedFile {
  const [path, label] = [fields[columns.path]?.trim(), fields[columns.label]?.trim()];
  if (!path || !label) {
    throw new FormatError(
      `${list}: line ${line}: has no ${path ? "label" : "path"}; a line is path,label or path,label,train|val|test`,
      { file: list, line },
    );
  }
  // Otherwise pictures for validation would be trained on.
  if (columns.count !== undefined && fields.length !== columns.count) {
    throw new FormatError(
      `${list}: line ${line}: has ${fields.length} fields, and the first line ${columns.count}; all lines need as many, or a first line names the columns`,
      { file: list, line },
    );
  }
  const word = columns.split === undefined ? "train" : (fields[columns.split]?.trim() ?? "");
  const split = splitNamed(word);
  if (split === undefined)
    throw new FormatError(`${list}: line ${line}: the split is ${JSON.stringify(word)}; it needs train, val or test`, {
      file: list,
      line,
    });
  return { file: resolve(root, path), split, label, line };
}

/** Indices become names; `classes` undefined: whatever training has. */
function nameClasses(
  list: string,
  files: readonly ListedFile[],
  given: readonly string[] | undefined,
): { labelled: readonly LabelledFile[]; classes: readonly string[] | undefined } {
  const isIndex = (label: string): boolean => /^\d{1,6}$/.test(label);
  if (given?.length === 0) throw new ArgumentError("imageList: classes is empty");
  const known = new Set(given);
  const indexed = files.every(({ label }) => isIndex(label)) && !files.every(({ label }) => known.has(label));
  if (!indexed) {
    const strange = given && files.find(({ label }) => !known.has(label));
    if (strange) throw labelError(list, strange, `it is none of the ${given.length} classes`);
    return { labelled: files, classes: given };
  }
  const most = files.reduce((max, { label }) => Math.max(max, Number(label)), 0);
  const classes = given ?? Array.from({ length: most + 1 }, (_, i) => `${i}`);
  const beyond = files.find(({ label }) => Number(label) >= classes.length);
  if (beyond) throw labelError(list, beyond, `there are ${classes.length} classes, counted from 0`);
  const used = new Set(files.map(({ label }) => Number(label)));
  // A gap is a class without pictures; a large label among few is a mistake, or no index at all.
  if (given === undefined && used.size < classes.length / 2) {
    throw new ArgumentError(
      `imageList: ${list}: the labels are ${used.size} numbers up to ${most}. If they are no indices of classes, name them, or give the classes' names (classes)`,
    );
  }
  return { labelled: files.map((file) => ({ ...file, label: classes[Number(file.label)] as string })), classes };
}

function labelError(list: string, { label, line }: ListedFile, why: string): FormatError {
  return new FormatError(`${list}: line ${line}: label ${JSON.stringify(label)}: ${why}`, { file: list, line, label });
}
