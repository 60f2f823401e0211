import { ArgumentError, FormatError } from "@ocelli/core";
import { formatBytes } from "@ocelli/inspect";
import { imageFiles } from "@ocelli/training/web";
import type { BuiltModel } from "../../model/build.js";
import { greyPicture, pictureFile } from "../../model/pictures.js";
import type { GivenPicture } from "./api.js";
import { frameOf } from "./network.js";
import { headBytes, pictureSize } from "./picture-size.js";

/** Bytes; larger files are no photographs. */
const maxBytes = 256e6;
/** Decoded, four bytes each. */
const maxPixels = 1e8;
const previewWidth = 480;

/** Bytes `[C, H, W]` that a network takes, cut out of a picture as its publisher does it. @throws FormatError, ArgumentError */
export async function pixelsFor(built: BuiltModel, picture: GivenPicture): Promise<Uint8Array> {
  const [channels, height, width] = built.input;
  if (picture.kind === "grey" && channels === 1 && height * width === picture.pixels.length) return picture.pixels;
  if (channels !== 1 && channels !== 3)
    throw new ArgumentError(`the network takes ${channels} channels; pictures have 1 or 3`);
  if (picture.kind === "grey") return cut(built, await pngOf(picture.pixels), "the drawing");
  if (picture.file.size > maxBytes)
    throw new FormatError(
      `${picture.name} has ${formatBytes(picture.file.size)}; at most ${formatBytes(maxBytes)} are read`,
    );
  await refuseLarge(picture.file, picture.name);
  const pixels = await cut(built, picture.file, picture.name);
  return picture.inverted === true ? pixels.map((value) => 255 - value) : pixels;
}

/** @throws FormatError for a picture that would take more memory than a page has */
async function refuseLarge(file: Blob, name: string): Promise<void> {
  const { width, height } = pictureSize(new Uint8Array(await file.slice(0, headBytes).arrayBuffer())) ?? {};
  if (width === undefined || height === undefined || width * height <= maxPixels) return;
  throw new FormatError(`${name} has ${width} × ${height} pixels, more than can be read here`);
}

async function cut(built: BuiltModel, file: Blob, name: string): Promise<Uint8Array> {
  const [channels] = built.input;
  const source = imageFiles([{ path: name, file: file as File, label: "it" }], {
    frame: frameOf(built),
    channels: channels as 1 | 3,
    classes: ["it", "others"],
    maxPixels,
  });
  try {
    return (await source.read({ indices: Int32Array.of(0) })).images as Uint8Array;
  } catch (error) {
    // The reader's advice is for sets of pictures.
    if (error instanceof FormatError) throw new FormatError(`${name} ${error.fields.reason}`, error.fields);
    throw error;
  }
}

/** A square of grey bytes as a picture file: then there is one way to make a picture fit. */
function pngOf(pixels: Uint8Array): Promise<Blob> {
  const side = Math.sqrt(pixels.length);
  return pictureFile(greyPicture(pixels, [side, side], { min: 0, max: 255 }));
}

/** The whole picture, small. What cannot be shown is no reason not to go on: the network's view is there. */
export async function previewOf(picture: GivenPicture): Promise<ImageBitmap | undefined> {
  if (picture.kind !== "file") return undefined;
  try {
    return await createImageBitmap(picture.file, {
      imageOrientation: "from-image",
      resizeWidth: previewWidth,
      resizeQuality: "medium",
    });
  } catch {
    return undefined;
  }
}
