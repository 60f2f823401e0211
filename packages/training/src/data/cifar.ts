import { FormatError } from "@ocelli/core";
import { cifar10Classes, cifar100Classes, cifar100Superclasses } from "./classes.js";
import { type ImageDataset, type ImageShape, imageDataset } from "./dataset.js";
import type { NamedBytes } from "./idx.js";

const shape: ImageShape = [3, 32, 32];
const pixels = 3 * 32 * 32;

/** One label byte of a record: where it is, what it is called, how many values it may have. */
interface LabelByte {
  readonly name: string;
  readonly classes: readonly string[];
}

/** A CIFAR-10 record is one label byte and 3072 bytes of red, green and blue planes. */
const cifar10Labels: readonly LabelByte[] = [{ name: "label", classes: cifar10Classes }];

/** A CIFAR-100 record begins with two label bytes. */
const cifar100Labels: readonly LabelByte[] = [
  { name: "coarse label", classes: cifar100Superclasses },
  { name: "fine label", classes: cifar100Classes },
];

/**
 * Joins binary CIFAR-10 batches (`data_batch_1.bin` ...), in the order given, as a dataset of shape [3, 32, 32].
 * @throws FormatError when a file is not a whole number of records (1 + 3072 bytes), is empty, or has a label above 9
 */
export function cifar10Dataset(name: string, batches: readonly NamedBytes[]): ImageDataset {
  return join(name, batches, cifar10Labels, 0);
}

/**
 * Joins binary CIFAR-100 files (`train.bin`, `test.bin`), in the order given, as a dataset of shape [3, 32, 32].
 * @param labels the 100 fine classes (default) or the 20 coarse ones
 * @throws FormatError when a file is not a whole number of records (2 + 3072 bytes), is empty, or has a label out of range
 */
export function cifar100Dataset(
  name: string,
  batches: readonly NamedBytes[],
  { labels = "fine" }: { readonly labels?: "fine" | "coarse" } = {},
): ImageDataset {
  return join(name, batches, cifar100Labels, labels === "fine" ? 1 : 0);
}

function join(
  name: string,
  batches: readonly NamedBytes[],
  labelBytes: readonly LabelByte[],
  chosen: number,
): ImageDataset {
  const counts = batches.map((batch) => countRecords(batch, labelBytes.length + pixels));
  const count = counts.reduce((sum, n) => sum + n, 0);
  const images = new Uint8Array(count * pixels);
  const labels = new Uint8Array(count);
  let at = 0;
  batches.forEach((batch, b) => {
    for (let record = 0; record < (counts[b] as number); record++, at++) {
      const offset = record * (labelBytes.length + pixels);
      checkLabels(batch, offset, labelBytes);
      labels[at] = batch.bytes[offset + chosen] as number;
      const start = offset + labelBytes.length;
      images.set(batch.bytes.subarray(start, start + pixels), at * pixels);
    }
  });
  const { classes } = labelBytes[chosen] as LabelByte;
  return imageDataset({ name, images, labels, shape, classes });
}

function countRecords({ file, bytes }: NamedBytes, recordBytes: number): number {
  const rest = bytes.length % recordBytes;
  if (bytes.length > 0 && rest === 0) return bytes.length / recordBytes;
  const records = (bytes.length - rest) / recordBytes;
  const came =
    bytes.length === 0
      ? "is empty"
      : `has ${bytes.length} bytes: ${records} records and ${rest} bytes at offset ${bytes.length - rest}`;
  throw new FormatError(`${file}: ${came}; a CIFAR batch is whole records of ${recordBytes} bytes`, {
    file,
    length: bytes.length,
    recordBytes,
    offset: bytes.length - rest,
  });
}

function checkLabels({ file, bytes }: NamedBytes, offset: number, labelBytes: readonly LabelByte[]): void {
  labelBytes.forEach(({ name, classes }, i) => {
    const label = bytes[offset + i] as number;
    if (label < classes.length) return;
    throw new FormatError(
      `${file}: ${name} ${label} at offset ${offset + i} is outside the ${classes.length} classes`,
      {
        file,
        label,
        classes: classes.length,
        offset: offset + i,
      },
    );
  });
}
