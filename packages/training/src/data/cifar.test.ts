import { FormatError } from "@ocelli/core";
import { describe, expect, test } from "vitest";
import { cifar10Dataset, cifar100Dataset } from "./cifar.js";
import { cifar100Classes, cifar100Superclasses } from "./classes.js";

/** Records with the given label bytes; pixel p of record r is (r * 7 + p) % 256. */
function batch(file: string, records: number[][]) {
  const size = (records[0]?.length ?? 0) + 3072;
  const bytes = new Uint8Array(records.length * size);
  records.forEach((labels, r) => {
    bytes.set(labels, r * size);
    for (let p = 0; p < 3072; p++) bytes[r * size + labels.length + p] = (r * 7 + p) % 256;
  });
  return { file, bytes };
}

function failure(run: () => unknown): FormatError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    return error as FormatError;
  }
  throw new Error("nothing was thrown");
}

describe("CIFAR-10", () => {
  test("joins batches", () => {
    const set = cifar10Dataset("c", [batch("a", [[3], [9]]), batch("b", [[0]])]);
    expect(set).toMatchObject({ count: 3, shape: [3, 32, 32] });
    expect([...set.labels]).toEqual([3, 9, 0]);
    expect(set.classes[9]).toBe("truck");
    expect([set.images[0], set.images[1], set.images[3072], set.images[2 * 3072], set.images[2 * 3072 - 1]]).toEqual([
      0,
      1,
      7,
      0,
      (7 + 3071) % 256,
    ]);
  });

  test("refuses files that are not whole records", () => {
    const { bytes } = batch("a", [[1], [2]]);
    expect(failure(() => cifar10Dataset("c", [{ file: "f.bin", bytes: bytes.slice(0, -1) }])).message).toBe(
      "f.bin: has 6145 bytes: 1 records and 3072 bytes at offset 3073; a CIFAR batch is whole records of 3073 bytes",
    );
    expect(failure(() => cifar10Dataset("c", [{ file: "f.bin", bytes: new Uint8Array(0) }])).message).toBe(
      "f.bin: is empty; a CIFAR batch is whole records of 3073 bytes",
    );
  });

  test("refuses labels out of range", () => {
    const error = failure(() => cifar10Dataset("c", [batch("a", [[1]]), batch("b", [[2], [10]])]));
    expect(error.message).toBe("b: label 10 at offset 3073 is outside the 10 classes");
    expect(error.fields).toMatchObject({ file: "b", offset: 3073, label: 10 });
  });
});

describe("CIFAR-100", () => {
  test("has its classes", () => {
    expect(cifar100Classes.length).toBe(100);
    expect(new Set(cifar100Classes).size).toBe(100);
    expect([...cifar100Classes].sort()).toEqual(cifar100Classes);
    expect(cifar100Superclasses.length).toBe(20);
    expect(cifar100Classes[83]).toBe("sweet pepper");
  });

  test("reads fine or coarse labels", () => {
    const files = [
      batch("a", [
        [19, 99],
        [0, 4],
      ]),
    ];
    expect([...cifar100Dataset("c", files).labels]).toEqual([99, 4]);
    expect([...cifar100Dataset("c", files, { labels: "coarse" }).labels]).toEqual([19, 0]);
    expect(cifar100Dataset("c", files).images[3072]).toBe(7);
    expect(cifar100Dataset("c", files, { labels: "coarse" }).classes.length).toBe(20);
  });

  test("checks both labels", () => {
    expect(failure(() => cifar100Dataset("c", [batch("a", [[20, 0]])])).message).toContain(
      "coarse label 20 at offset 0",
    );
    expect(failure(() => cifar100Dataset("c", [batch("a", [[0, 100]])])).message).toContain(
      "fine label 100 at offset 1",
    );
  });
});
