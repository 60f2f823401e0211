import { ArgumentError, FormatError } from "@ocelli/core";
import { packTar } from "modern-tar";
import { describe, expect, it } from "vitest";
import { type LocatedFile, standardSet } from "../src/web/index.js";
import { at } from "./pictures.js";

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const blob = (bytes: Uint8Array): Blob => new Blob([bytes as Uint8Array<ArrayBuffer>]);

function idx(magic: number, dims: readonly number[], payload: ArrayLike<number>): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * dims.length + payload.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of [magic, ...dims].entries()) view.setUint32(4 * i, value);
  bytes.set(payload, 4 + 4 * dims.length);
  return bytes;
}

/** The four files of a set of MNIST's form: 3 training and 8 test images of 4 x 5, the test ones with these labels. */
function idxFiles(labels = [7, 2, 1, 0, 4, 1, 4, 9]): [string, Uint8Array][] {
  const split = (prefix: string, own: readonly number[]): [string, Uint8Array][] => [
    [`${prefix}-images-idx3-ubyte`, idx(0x803, [own.length, 4, 5], new Uint8Array(own.length * 20).fill(own.length))],
    [`${prefix}-labels-idx1-ubyte`, idx(0x801, [own.length], own)],
  ];
  return [...split("train", [1, 2, 3]), ...split("t10k", labels)];
}

const fashionLabels = [9, 2, 1, 1, 6, 1, 4, 6];

const inFolder = (folder: string, files: readonly (readonly [string, Uint8Array])[]): LocatedFile[] =>
  files.map(([name, bytes]) => at(folder === "" ? name : `${folder}/${name}`, blob(bytes)));

/** Records of one label and 3072 pixels. */
const cifar = (label: number, count: number): Uint8Array =>
  Uint8Array.from({ length: count * 3073 }, (_, i) => (i % 3073 === 0 ? label : 7));

const cifarFiles = (): [string, Uint8Array][] => [
  ...[1, 2, 3, 4, 5].map((n): [string, Uint8Array] => [`data_batch_${n}.bin`, cifar(n, 2)]),
  ["test_batch.bin", cifar(0, 1)],
];

const cifar100Record = Uint8Array.from({ length: 3074 }, (_, i) => [19, 99][i] ?? 0);

async function tarGz(files: readonly (readonly [string, Uint8Array])[]): Promise<Blob> {
  const entries = files.map(([name, body]) => ({
    header: { name: `cifar-10-batches-bin/${name}`, size: body.length, type: "file" as const },
    body,
  }));
  return blob(await gzip(await packTar(entries)));
}

const failure = (files: Iterable<LocatedFile>): Promise<Error> =>
  standardSet(files).then(
    () => expect.unreachable(),
    (error: unknown) => error as Error,
  );

describe("MNIST's form", () => {
  it("is read from files in any folder, plain and gz, beside others", async () => {
    const files: (readonly [string, Uint8Array])[] = [["README.txt", new Uint8Array(3)]];
    for (const [i, [name, bytes]] of idxFiles().entries())
      files.push(i % 2 === 0 ? [name.replace("-idx", ".idx"), bytes] : [`${name}.gz`, await gzip(bytes)]);
    for (const folder of ["", "a/raw"]) {
      const { dataset, train, test, warnings, place } = await standardSet(inFolder(folder, files));
      expect([dataset, place, warnings]).toEqual(["mnist", folder || "the files", []]);
      expect(train).toMatchObject({ name: "mnist train", count: 3, shape: [1, 4, 5] });
      expect([test.count, test.images[0], test.labels[7]]).toEqual([8, 8, 9]);
    }
  });

  it("is Fashion-MNIST by its labels, plain or gz, or else by its folder", async () => {
    expect((await standardSet(inFolder("mnist", idxFiles(fashionLabels)))).dataset).toBe("fashion-mnist");
    const zipped = await Promise.all(
      idxFiles(fashionLabels).map(async ([name, bytes]) => [`${name}.gz`, await gzip(bytes)] as const),
    );
    expect((await standardSet(inFolder("", zipped))).train.classes[9]).toBe("ankle boot");
    const others = idxFiles([1, 1, 1, 1, 1, 1, 1, 1]);
    expect((await standardSet(inFolder("Fashion-MNIST", others))).dataset).toBe("fashion-mnist");
    expect((await standardSet(inFolder("x", others))).dataset).toBe("mnist");
  });

  it("is read from File objects, and from a folder for each file", async () => {
    const files = idxFiles().map(([name, bytes]) => new File([bytes as Uint8Array<ArrayBuffer>], name));
    expect((await standardSet(files)).dataset).toBe("mnist");
    const apart = idxFiles().flatMap(([name, bytes]) => inFolder(`archive/${name}`, [[name, bytes]]));
    expect((await standardSet(apart)).train.count).toBe(3);
  });

  it("says which file is damaged", async () => {
    const cut = idxFiles().map(
      ([name, bytes]) => [name, name.startsWith("t10k-i") ? bytes.subarray(0, 40) : bytes] as const,
    );
    const error = await failure(inFolder("mnist", cut));
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toMatch(/^mnist\/t10k-images-idx3-ubyte: ends at offset 40/);
    const zipped = await gzip(idxFiles()[3]![1]);
    const files = [
      ...inFolder("", idxFiles().slice(0, 3)),
      at("t10k-labels-idx1-ubyte.gz", blob(zipped.subarray(0, 20))),
    ];
    expect((await failure(files)).message).toMatch(
      /^t10k-labels-idx1-ubyte.gz: the gzip data .* is damaged or cut off/,
    );
  });
});

describe("CIFAR", () => {
  it("is read from its files and from its archive", async () => {
    const { dataset, train, test } = await standardSet(inFolder("cifar-10-batches-bin", cifarFiles()));
    expect([dataset, train.count, test.count]).toEqual(["cifar10", 10, 1]);
    expect([...train.labels]).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    const packed = await standardSet([at("cifar-10-binary.tar.gz", await tarGz(cifarFiles()))]);
    expect([packed.dataset, packed.train.count, packed.place]).toEqual(["cifar10", 10, "cifar-10-binary.tar.gz"]);
    const files: [string, Uint8Array][] = [
      ["train.bin", cifar100Record],
      ["test.bin", cifar100Record],
    ];
    expect((await standardSet(inFolder("x", files))).train.labels[0]).toBe(99);
  });

  it("may lack training files, with a warning", async () => {
    const { train, warnings } = await standardSet(inFolder("c", cifarFiles().slice(3)));
    expect(train.count).toBe(4);
    expect(warnings).toEqual([
      expect.stringContaining("2 of 5 training files in c (4 images); missing: data_batch_1.bin"),
    ]);
  });

  it("in a damaged archive is named", async () => {
    const whole = await tarGz(cifarFiles());
    const error = await failure([at("c/cifar-10-binary.tar.gz", whole.slice(0, whole.size / 2))]);
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain("c/cifar-10-binary.tar.gz: damaged or cut-off tar.gz archive");
    expect((await failure([at("c/cifar-10-binary.tar.gz", blob(new Uint8Array(99)))])).message).toContain(
      "damaged or cut-off",
    );
  });
});

describe("files that are no set", () => {
  it("are listed beside what was looked for", async () => {
    const error = await failure([...inFolder("m", idxFiles().slice(0, 2)), at("m/notes.txt", new Blob([]))]);
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toContain(
      "there is no complete set: 3 files came (m/train-images-idx3-ubyte, m/train-labels",
    );
    expect(error.message).toContain(
      "mnist in m: train-images-idx3-ubyte (found), train-labels-idx1-ubyte (found), t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (each with or without .gz)",
    );
    expect((await failure([])).message).toMatch(/no files came; looked for\n {2}mnist in the files: train-images/);
    expect((await failure([at("cifar-10-batches-py/data_batch_1", new Blob([]))])).message).toContain(
      "the binary version is needed",
    );
  });

  it("are refused when they are two", async () => {
    const both = [...inFolder("a", idxFiles()), ...inFolder("b", idxFiles(fashionLabels))];
    expect((await failure(both)).message).toBe(
      "standardSet: there are several sets: mnist in a, fashion-mnist in b; choose the files of one",
    );
  });

  it("are not read when nobody wants them", async () => {
    const signal = AbortSignal.abort(new Error("stop"));
    await expect(standardSet(inFolder("a", idxFiles()), { signal })).rejects.toThrow("stop");
  });
});
