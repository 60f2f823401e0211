import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ArgumentError } from "@ocelli/core";
import { findPictures, foldersIn } from "./find-pictures.js";
import { type LabelledFile, makeSplits, type PictureSplits, type SplitName, splitNamed } from "./picture-splits.js";

/**
 * The pictures of a folder that has a folder for each class, as torchvision's ImageFolder: `photos/cat/1.jpg`. Or, one level up, folders
 * `train` and `val`, `validation` or `test` (whatever their case), each with folders for the classes. Classes and files are in the order of their names. Pictures are
 * known by their file names; hidden files are left alone. Nothing is decoded yet: see `pictureSource`.
 * @throws ArgumentError when there is no such folder, no picture, a single class, or a part with a class that training lacks
 */
export async function imageFolder(dir: string): Promise<PictureSplits> {
  if (!(await stat(dir).catch(() => undefined))?.isDirectory())
    throw new ArgumentError(`imageFolder: there is no folder ${dir}`, { dir });
  const folders = await foldersIn(dir);
  const splits = folders.map((folder) => [folder, splitNamed(folder)] as const);
  const isSplit =
    splits.length > 0 &&
    splits.every(([, split]) => split !== undefined) &&
    splits.some(([, split]) => split === "train");
  const warnings: string[] = [];
  const files: LabelledFile[] = [];
  for (const [folder, split] of isSplit ? splits : [["", "train"] as const]) {
    for (const file of await classesIn(join(dir, folder), split as SplitName, warnings)) files.push(file);
  }
  if (files.length === 0) {
    throw new ArgumentError(
      `imageFolder: ${dir} has no pictures in folders below it. Pictures belong into one folder for each class: ${join(dir, "cat", "1.jpg")}`,
      { dir },
    );
  }
  return makeSplits(`imageFolder: ${dir}`, basename(resolve(dir)), files, { warnings });
}

async function classesIn(dir: string, split: SplitName, warnings: string[]): Promise<LabelledFile[]> {
  const files: LabelledFile[] = [];
  for (const label of await foldersIn(dir)) {
    const folder = join(dir, label);
    const found = await findPictures(folder);
    if (found.files.length === 0) warnings.push(`${folder} has no pictures; it is not taken for a class`);
    const [other] = found.others;
    if (other !== undefined) {
      const count = found.others.length;
      warnings.push(
        `${folder}: ${count === 1 ? "a file is" : `${count} files are`} no picture by name: ${basename(other)}`,
      );
    }
    for (const file of found.files) files.push({ file, split, label });
  }
  return files;
}
