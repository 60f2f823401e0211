import { ArgumentError } from "@ocelli/core";
import { type SplitOptions, splitIndices } from "../../data/split.js";
import type { PictureFiles } from "./picture-source.js";

export type SplitName = "train" | "validation" | "test";

/** What the parts of a set are called in folders and lists. */
const spellings: Readonly<Record<string, SplitName>> = {
  train: "train",
  training: "train",
  val: "validation",
  valid: "validation",
  validation: "validation",
  dev: "validation",
  test: "test",
  testing: "test",
};

/** The part that a word means; undefined if it means none. */
export const splitNamed = (word: string): SplitName | undefined => {
  const key = word.toLowerCase();
  return Object.hasOwn(spellings, key) ? spellings[key] : undefined;
};

/** A set of picture files in its parts, all with the same classes. */
export interface PictureSplits {
  readonly train: PictureFiles;
  readonly validation?: PictureFiles | undefined;
  readonly test?: PictureFiles | undefined;
  /** What a user should know: folders without pictures, files that are none. */
  readonly warnings: readonly string[];
}

/** A picture with its part and the name of its class. */
export interface LabelledFile {
  readonly file: string;
  readonly split: SplitName;
  readonly label: string;
}

/**
 * Puts files into their parts. Classes are those of training unless given, by name.
 * @param where the folder or the list, for errors
 * @throws ArgumentError when training has no pictures or fewer than two classes, or another part has a class that training lacks
 */
export function makeSplits(
  where: string,
  name: string,
  files: readonly LabelledFile[],
  {
    classes: given,
    warnings,
  }: { readonly classes?: readonly string[] | undefined; readonly warnings: readonly string[] },
): PictureSplits {
  const of = (split: SplitName): LabelledFile[] => files.filter((file) => file.split === split);
  const train = of("train");
  if (train.length === 0) throw new ArgumentError(`${where}: has no pictures to train on`, { where });
  const classes = given ?? [...new Set(train.map(({ label }) => label))].sort((a, b) => (a < b ? -1 : 1));
  if (classes.length < 2) {
    throw new ArgumentError(
      `${where}: has one class, ${classes[0]}; a classifier needs two or more: one folder, or one label, for each`,
      { classes },
    );
  }
  const indices = new Map(classes.map((label, i) => [label, i]));
  const part = (split: SplitName): PictureFiles | undefined => {
    const chosen = of(split);
    if (chosen.length === 0) return undefined;
    const strange = [...new Set(chosen.map(({ label }) => label))].filter((label) => !indices.has(label));
    if (strange.length > 0) {
      throw new ArgumentError(
        `${where}: ${split} has classes that train lacks: ${strange.slice(0, 5).join(", ")}${strange.length > 5 ? " ..." : ""}`,
        { classes: strange },
      );
    }
    const labels = Int32Array.from(chosen, ({ label }) => indices.get(label) as number);
    return { name: `${name} ${split}`, files: chosen.map(({ file }) => file), labels, classes };
  };
  return { train: part("train") as PictureFiles, validation: part("validation"), test: part("test"), warnings };
}

/** As `split`, before the files become a source: training and validation can then have frames of different sizes. @throws ArgumentError as there */
export function splitFiles(
  files: PictureFiles,
  options: SplitOptions,
): { readonly train: PictureFiles; readonly validation: PictureFiles } {
  const { train, validation } = splitIndices(files, options);
  const pick = (indices: Int32Array, name: string): PictureFiles => ({
    name,
    files: Array.from(indices, (i) => files.files[i] as string),
    labels: Int32Array.from(indices, (i) => files.labels[i] as number),
    classes: files.classes,
  });
  return {
    train: pick(train, files.name),
    validation: pick(validation, `${files.name.replace(/ train$/, "")} validation`),
  };
}
