import { ArgumentError } from "@ocelli/core";
import { gather, type ImageDataset, imageBytes } from "./dataset.js";
import { type ImageSource, isImageSource, type LabelledImages } from "./source.js";

/** Half-open range of positions: `from <= i < to`. Defaults: 0 and the number of images. */
export interface IndexRange {
  readonly from?: number;
  readonly to?: number;
}

/**
 * Some of the images. Of images in memory, a range shares the memory of `data`, and indices (any order, repeats allowed) copy. A subset
 * of a source reads from that source: an image meets the same chances as there.
 * @throws ArgumentError when an index or the range leaves `0..count`
 */
export function subset<Data extends LabelledImages>(data: Data, selection: ArrayLike<number> | IndexRange): Data {
  if (!("length" in selection)) checkRange(data, selection);
  const part = isImageSource(data) ? subsource(data, selection) : subdataset(data as ImageDataset, selection);
  return part as Data;
}

function checkRange({ count, name }: LabelledImages, { from = 0, to = count }: IndexRange): void {
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= count) return;
  throw new ArgumentError(`subset: range ${from}..${to} is not within the ${count} images of ${name}`, {
    from,
    to,
    count,
  });
}

function subdataset(dataset: ImageDataset, selection: ArrayLike<number> | IndexRange): ImageDataset {
  const size = imageBytes(dataset);
  if ("length" in selection) {
    const images = new Uint8Array(selection.length * size);
    const labels = new Int32Array(selection.length);
    gather(dataset, selection, images, labels);
    return { ...dataset, images, labels, count: selection.length };
  }
  const { from = 0, to = dataset.count } = selection;
  const images = dataset.images.subarray(from * size, to * size);
  return { ...dataset, images, labels: dataset.labels.subarray(from, to), count: to - from };
}

function subsource(source: ImageSource, selection: ArrayLike<number> | IndexRange): ImageSource {
  const positions = positionsOf(source, selection);
  return {
    name: source.name,
    shape: source.shape,
    classes: source.classes,
    labels: Int32Array.from(positions, (i) => source.labels[i] as number),
    count: positions.length,
    read: (request) =>
      source.read({ ...request, indices: Int32Array.from(request.indices, (i) => positions[i] as number) }),
  };
}

function positionsOf({ name, count }: ImageSource, selection: ArrayLike<number> | IndexRange): Int32Array {
  if (!("length" in selection)) {
    const { from = 0, to = count } = selection;
    return Int32Array.from({ length: to - from }, (_, i) => from + i);
  }
  return Int32Array.from(selection, (index) => {
    if (Number.isInteger(index) && index >= 0 && index < count) return index;
    throw new ArgumentError(`subset: index ${index} is not within the ${count} images of ${name}`, { index, count });
  });
}
