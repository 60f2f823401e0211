import { FormatError } from "@ocelli/core";
import { findBadLabel, type ImageDataset, imageDataset } from "./dataset.js";
import { gunzip, isGzip } from "./gunzip.js";

/** One file: its bytes (gzip is recognised by its magic) and the name that errors give. */
export interface NamedBytes {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Images of an IDX file. `pixels` may share memory with the file's bytes. */
export interface IdxImages {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly pixels: Uint8Array;
}

type Kind = "images" | "labels";

const magics: Readonly<Record<Kind, number>> = { images: 0x00000803, labels: 0x00000801 };
const ranks: Readonly<Record<Kind, number>> = { images: 3, labels: 1 };
const elementTypes: Readonly<Record<number, string>> = {
  8: "unsigned bytes",
  9: "signed bytes",
  11: "16-bit integers",
  12: "32-bit integers",
  13: "32-bit floats",
  14: "64-bit floats",
};

/**
 * Reads an IDX file of grey images (magic 0x00000803: unsigned bytes, [count, height, width]), plain or gzip-compressed.
 * @throws FormatError when it is anything else, damaged, shorter or longer than its header says
 */
export async function parseIdxImages(source: NamedBytes): Promise<IdxImages> {
  const { dims, payload } = await parseIdx(source, "images");
  const [count, height, width] = dims as [number, number, number];
  if (height === 0 || width === 0) {
    throw new FormatError(`${source.file}: images of ${height} x ${width} pixels (offset 8); both must be positive`, {
      file: source.file,
      height,
      width,
      offset: 8,
    });
  }
  return { count, height, width, pixels: payload };
}

/**
 * Reads an IDX file of labels (magic 0x00000801: unsigned bytes, [count]), plain or gzip-compressed.
 * @param classes when given, a label that is not below it is an error
 * @throws FormatError when it is anything else, damaged, shorter or longer than its header says
 */
export async function parseIdxLabels(source: NamedBytes, classes = 256): Promise<Uint8Array> {
  const { payload } = await parseIdx(source, "labels");
  const at = findBadLabel(payload, classes);
  if (at >= 0) {
    throw new FormatError(
      `${source.file}: label ${payload[at]} at offset ${8 + at} is outside the ${classes} classes`,
      {
        file: source.file,
        label: payload[at],
        classes,
        offset: 8 + at,
      },
    );
  }
  return payload;
}

/** Reads a pair of IDX files as a dataset with shape [1, H, W]. @throws FormatError also when their counts differ */
export async function idxDataset(options: {
  readonly name: string;
  readonly images: NamedBytes;
  readonly labels: NamedBytes;
  readonly classes: readonly string[];
}): Promise<ImageDataset> {
  const { name, classes } = options;
  const images = await parseIdxImages(options.images);
  const labels = await parseIdxLabels(options.labels, classes.length);
  if (images.count !== labels.length) {
    throw new FormatError(
      `${options.images.file} holds ${images.count} images; ${options.labels.file} holds ${labels.length} labels (offset 4 of both)`,
      { images: images.count, labels: labels.length, offset: 4 },
    );
  }
  return imageDataset({ name, images: images.pixels, labels, shape: [1, images.height, images.width], classes });
}

async function parseIdx({ file, bytes }: NamedBytes, kind: Kind): Promise<{ dims: number[]; payload: Uint8Array }> {
  const headerBytes = 4 + 4 * ranks[kind];
  let dims: number[] = [];
  const sizeOf = (head: Uint8Array): number => {
    dims = parseHeader(head, file, kind);
    return dims.reduce((product, dim) => product * dim, 1) + headerBytes;
  };
  const whole = isGzip(bytes) ? await gunzip(bytes, file, { bytes: headerBytes, sizeOf }) : { bytes, more: false };
  const needed = sizeOf(whole.bytes.subarray(0, headerBytes));
  checkLength(file, kind, dims, whole.more ? needed + 1 : whole.bytes.length, needed, whole.more);
  return { dims, payload: whole.bytes.subarray(headerBytes) };
}

/** Dimensions from the first bytes of a file. */
function parseHeader(head: Uint8Array, file: string, kind: Kind): number[] {
  const needed = 4 + 4 * ranks[kind];
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length >= 4) checkMagic(view.getUint32(0), file, kind);
  if (head.length < needed) {
    throw new FormatError(`${file}: ends at offset ${head.length}; the header of IDX ${kind} has ${needed} bytes`, {
      file,
      offset: head.length,
      needed,
    });
  }
  return Array.from({ length: ranks[kind] }, (_, i) => view.getUint32(4 + 4 * i));
}

function checkMagic(magic: number, file: string, kind: Kind): void {
  if (magic === magics[kind]) return;
  throw new FormatError(
    `${file}: magic ${hex(magic)} at offset 0 ${describe(magic)}; ${kind} need ${hex(magics[kind])}`,
    {
      file,
      magic,
      needed: magics[kind],
      offset: 0,
    },
  );
}

/** What a magic number that was not expected says about its file. */
function describe(magic: number): string {
  if (magic === magics.images) return "says images (was the other file of the pair meant?)";
  if (magic === magics.labels) return "says labels (was the other file of the pair meant?)";
  const elements = elementTypes[(magic >>> 8) & 0xff];
  if (magic >>> 16 !== 0 || elements === undefined) return "is not IDX";
  return `says ${elements} in ${magic & 0xff} dimensions`;
}

function checkLength(file: string, kind: Kind, dims: number[], length: number, needed: number, more: boolean): void {
  if (length === needed) return;
  const what = `its header says ${dims.join(" x ")} ${kind}, which need ${needed} bytes`;
  const fields = { file, length, needed, dims, offset: Math.min(length, needed) };
  if (length < needed) throw new FormatError(`${file}: ends at offset ${length}; ${what}`, fields);
  const extra = more ? "more bytes follow" : `${length - needed} more bytes follow`;
  throw new FormatError(`${file}: ${what}, but ${extra} at offset ${needed}`, fields);
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
