import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { ArgumentError, FormatError } from "@ocelli/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseCsv } from "./csv.js";
import { imageFolder } from "./image-folder.js";
import { type ImageListOptions, imageList } from "./image-list.js";
import type { PictureFiles } from "./picture-source.js";
import { splitFiles } from "./picture-splits.js";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "ocelli-folder-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function touch(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), "");
  }
}

/** `["cat/1.jpg", "cat"]` of each. */
const seen = ({ files, labels, classes }: PictureFiles) =>
  files.map((file, i) => [relative(dir, file).replaceAll("\\", "/"), classes[labels[i] as number]]);

describe("imageFolder", () => {
  it("finds a class in every folder, and pictures at any depth", async () => {
    await touch("dog/b.PNG", "dog/a.jpg", "dog/x/y/c.webp", "cat/z.jpeg", "cat/.hidden.jpg", ".git/a.jpg", "top.jpg");
    await touch("dog/notes.txt", "dog/Thumbs.db", "bird/readme.md");
    const { train, validation, test, warnings } = await imageFolder(dir);
    expect(train.classes).toEqual(["cat", "dog"]);
    expect(seen(train)).toEqual([
      ["cat/z.jpeg", "cat"],
      ["dog/a.jpg", "dog"],
      ["dog/b.PNG", "dog"],
      ["dog/x/y/c.webp", "dog"],
    ]);
    expect([validation, test]).toEqual([undefined, undefined]);
    expect(warnings.map((line) => line.replace(dir, "").replaceAll("\\", "/"))).toEqual([
      "/bird has no pictures; it is not taken for a class",
      expect.stringContaining("/bird: a file is no picture by name: readme.md"),
      expect.stringContaining("/dog: 2 files are no picture by name: Thumbs.db"),
    ]);
  });

  it("takes train, val and test folders for parts of the set", async () => {
    await touch("train/b/1.jpg", "train/a/1.jpg", "val/b/2.jpg", "test/a/3.jpg", "test/b/4.jpg");
    const { train, validation, test } = await imageFolder(dir);
    expect([train, validation, test].map((part) => seen(part as PictureFiles))).toEqual([
      [
        ["train/a/1.jpg", "a"],
        ["train/b/1.jpg", "b"],
      ],
      [["val/b/2.jpg", "b"]],
      [
        ["test/a/3.jpg", "a"],
        ["test/b/4.jpg", "b"],
      ],
    ]);
    expect(validation?.name).toMatch(/^ocelli-folder-.* validation$/);
    // Among other classes, "train" is one, too.
    await touch("plane/1.jpg");
    expect((await imageFolder(dir)).train.classes).toEqual(["plane", "test", "train", "val"]);
  });

  it("takes Train and Test for parts, not for classes", async () => {
    await touch("Train/cat/1.jpg", "Train/dog/1.jpg", "Test/cat/2.jpg");
    const { train, test } = await imageFolder(dir);
    expect(seen(train)).toEqual([
      ["Train/cat/1.jpg", "cat"],
      ["Train/dog/1.jpg", "dog"],
    ]);
    expect(test && seen(test)).toEqual([["Test/cat/2.jpg", "cat"]]);
    // A vehicle.
    await touch("ship/1.jpg");
    expect((await imageFolder(dir)).train.classes).toEqual(["Test", "Train", "ship"]);
  });

  it("follows links, but not for ever", async () => {
    await touch("a/1.jpg", "b/2.jpg", "elsewhere/3.jpg");
    await symlink(join(dir, "a"), join(dir, "a", "again"), "junction");
    await symlink(join(dir, "elsewhere"), join(dir, "b", "link"), "junction");
    await symlink(join(dir, "gone"), join(dir, "b", "dead"), "junction");
    expect(seen((await imageFolder(dir)).train)).toEqual([
      ["a/1.jpg", "a"],
      ["b/2.jpg", "b"],
      ["b/link/3.jpg", "b"],
      ["elsewhere/3.jpg", "elsewhere"],
    ]);
  });

  it("refuses what is no set", async () => {
    const refuse = async (folder: string, message: RegExp) => {
      await expect(imageFolder(folder)).rejects.toThrow(message);
      await expect(imageFolder(folder)).rejects.toBeInstanceOf(ArgumentError);
    };
    await refuse(join(dir, "none"), /there is no folder .*none/);
    await touch("loose.jpg");
    await refuse(
      dir,
      /has no pictures in folders below it\. Pictures belong into one folder for each class: .*cat.1\.jpg/,
    );
    await touch("only/1.jpg");
    await refuse(dir, /has one class, only; a classifier needs two or more/);
    await rm(join(dir, "only"), { recursive: true });
    await touch("train/a/1.jpg", "train/b/1.jpg", "test/c/1.jpg");
    await refuse(dir, /test has classes that train lacks: c/);
    await rm(join(dir, "train"), { recursive: true });
    await touch("train/readme.txt");
    await refuse(dir, /has no pictures to train on/);
  });
});

describe("imageList", () => {
  const list = async (text: string, options?: ImageListOptions) => {
    await writeFile(join(dir, "list.csv"), text);
    return imageList(join(dir, "list.csv"), options);
  };

  it("reads path and label, with or without a header, in any order", async () => {
    const plain = await list("x/1.jpg,dog\nx/2.jpg,cat\n");
    expect(seen(plain.train)).toEqual([
      ["x/1.jpg", "dog"],
      ["x/2.jpg", "cat"],
    ]);
    expect(plain.train).toMatchObject({ name: "list train", classes: ["cat", "dog"] });
    const named = await list('\uFEFFid,Label,"Filename"\r\n7,dog,"a, ""b"".jpg"\r\n\r\n8,cat,c.jpg');
    expect(seen(named.train)).toEqual([
      ['a, "b".jpg', "dog"],
      ["c.jpg", "cat"],
    ]);
  });

  it("reads splits", async () => {
    const { train, validation, test } = await list("a.jpg,x,train\nb.jpg,y,train\nc.jpg,y,val\nd.jpg,x,TEST\n");
    expect([train, validation, test].map((part) => seen(part as PictureFiles).join())).toEqual([
      "a.jpg,x,b.jpg,y",
      "c.jpg,y",
      "d.jpg,x",
    ]);
    await expect(list("a.jpg,x,train\nb.jpg,y,later\n")).rejects.toThrow(
      'line 2: the split is "later"; it needs train, val or test',
    );
    await expect(list("a.jpg,x\nb.jpg,y\nc.jpg,x,val\n")).rejects.toThrow(
      "line 3: has 3 fields, and the first line 2; all lines need as many",
    );
  });

  it("takes numbers for indices", async () => {
    const { train } = await list("a.jpg,2\nb.jpg,0\nc.jpg,1\n");
    expect([train.classes, [...train.labels]]).toEqual([
      ["0", "1", "2"],
      [2, 0, 1],
    ]);
    const named = await list("a.jpg,1\nb.jpg,0\n", { classes: ["cat", "dog"] });
    expect([named.train.classes, [...named.train.labels]]).toEqual([
      ["cat", "dog"],
      [1, 0],
    ]);
    // More than ten classes are in the order of numbers, not of words.
    const many = await list(Array.from({ length: 12 }, (_, i) => `${i}.jpg,${i}`).join("\n"));
    expect([...many.train.labels]).toEqual(Array.from({ length: 12 }, (_, i) => i));
    await expect(list("a.jpg,1\nb.jpg,2\n", { classes: ["cat", "dog"] })).rejects.toThrow(
      'list.csv: line 2: label "2": there are 2 classes, counted from 0',
    );
    await expect(list("a.jpg,1\nb.jpg,90210\n")).rejects.toThrow("the labels are 2 numbers up to 90210");
  });

  it("looks from another folder, and for other classes", async () => {
    const options = { root: join(dir, "elsewhere"), classes: ["dog", "cat"] };
    const { train } = await list("1.jpg,cat\n2.jpg,dog\n", options);
    expect([seen(train), [...train.labels]]).toEqual([
      [
        ["elsewhere/1.jpg", "cat"],
        ["elsewhere/2.jpg", "dog"],
      ],
      [1, 0],
    ]);
    await expect(list("1.jpg,cat\n2.jpg,cow\n", options)).rejects.toThrow(
      'line 2: label "cow": it is none of the 2 classes',
    );
  });

  it("refuses what is no list", async () => {
    await expect(imageList(join(dir, "none.csv"))).rejects.toThrow(/none\.csv cannot be read \(ENOENT\)/);
    await expect(list("")).rejects.toThrow("lists no pictures");
    await expect(list("a.jpg,x\nb.jpg\n")).rejects.toThrow("line 2: has no label; a line is path,label");
    await expect(list("a.jpg,x\n,y\n")).rejects.toThrow("line 2: has no path");
    await expect(list('a.jpg,x\n"b.jpg,y\n')).rejects.toBeInstanceOf(FormatError);
    await expect(list('a.jpg,x\n"b.jpg,y\n')).rejects.toThrow("line 2: a quote is not closed");
    await expect(list("a.jpg,x\nb.jpg,x\n")).rejects.toThrow("has one class, x");
    await expect(list("a.jpg,x,test\nb.jpg,y,test\n")).rejects.toThrow("has no pictures to train on");
  });
});

describe("parseCsv", () => {
  it("reads quotes, line ends and empty fields", () => {
    const rows = parseCsv("f", 'a,"b\nc",\r\n"",d\r"x""y"');
    expect(rows).toEqual([
      { line: 1, fields: ["a", "b\nc", ""] },
      { line: 3, fields: ["", "d"] },
      { line: 4, fields: ['x"y'] },
    ]);
    expect(parseCsv("f", "a,")).toEqual([{ line: 1, fields: ["a", ""] }]);
    expect(parseCsv("f", "\n\n")).toEqual([]);
    expect(() => parseCsv("f", 'a\nb"c')).toThrow("f: line 2: a quote");
    expect(() => parseCsv("f", '"b"c')).toThrow("f: line 1: a quote");
  });

  it("is not brought down by a quote that opens a long list", () => {
    const long = "a.jpg,x\n".repeat(2e6);
    expect(() => parseCsv("f", `"${long}`)).toThrow("f: line 1: a quote is not closed");
    expect(parseCsv("f", `"${long}"`)[0]?.fields).toEqual([long]);
  });
});

describe("splitFiles", () => {
  it("splits names and labels together", () => {
    const files = Array.from({ length: 10 }, (_, i) => `${i % 2}-${i}`);
    const labels = Int32Array.from(files, (_, i) => i % 2);
    const { train, validation } = splitFiles(
      { name: "p train", files, labels, classes: ["a", "b"] },
      { validation: 0.2 },
    );
    expect([train.name, validation.name]).toEqual(["p train", "p validation"]);
    expect([...train.files, ...validation.files].sort()).toEqual([...files].sort());
    for (const part of [train, validation]) expect(part.files.map((file) => Number(file[0]))).toEqual([...part.labels]);
    expect([...validation.labels].sort()).toEqual([0, 1]);
  });
});
