import { centerView, fiveCropViews, makeViews, multiScaleViews, tenCropViews, type Views } from "@ocelli/training";
import { UsageError } from "../errors.js";
import type { LoadedModel } from "../model.js";

export const viewNames = ["center", "five", "ten", "multi-scale"] as const;

export interface ViewFlags {
  readonly views?: (typeof viewNames)[number];
  /** Side of the crops. */
  readonly crop?: number;
  /** Shorter sides of `multi-scale`. */
  readonly scales?: readonly number[];
}

/** @throws UsageError for flags that do not go together */
export function checkViewFlags({ views, crop, scales }: ViewFlags): void {
  if (crop !== undefined && (views === undefined || views === "multi-scale"))
    throw new UsageError("--crop is the size of the crops of --views center, five or ten");
  if (scales !== undefined && views !== "multi-scale") throw new UsageError("--scales is for --views multi-scale");
}

/** What the model is shown of each image: as the flags say, otherwise as its run does. Undefined: the image as it is. */
export function viewsFor(
  flags: ViewFlags,
  { run, image: [, height, width] }: Pick<LoadedModel, "run" | "image">,
): Views | undefined {
  const { views, crop, scales } = flags;
  if (views === undefined) return run?.views && makeViews(run.views);
  const size = crop ?? ([height, width] as const);
  if (views === "center") return centerView({ size });
  if (views === "five") return fiveCropViews({ size });
  if (views === "ten") return tenCropViews({ size });
  return multiScaleViews({ sizes: scales ?? defaultScales(Math.min(height, width)) });
}

/** As VGG's (Simonyan and Zisserman 2015): trained at 256, seen at 224, 256 and 288. */
const defaultScales = (side: number): number[] => [7 / 8, 1, 9 / 8].map((factor) => Math.round(factor * side));

/** Height and width of the crops; undefined where the whole image is seen. */
export function cropOf(views: Views | undefined): readonly [number, number] | undefined {
  return views?.options.size as readonly [number, number] | undefined;
}

/** @throws UsageError where images hold no such crops, or only one */
export function checkCrops(views: Views | undefined, name: string, [, height, width]: readonly number[]): void {
  const crop = cropOf(views);
  if (crop === undefined) return;
  const [h, w] = [height as number, width as number];
  const shown = `${crop.join("x")}`;
  if (crop[0] > h || crop[1] > w)
    throw new UsageError(
      `${name} has images of ${h}x${w}, which hold no crop of ${shown}; --crop N takes smaller ones`,
    );
  if (crop[0] === h && crop[1] === w && views?.name !== "center")
    throw new UsageError(
      `${name} has images of ${h}x${w}: crops of ${shown} are all the same; --crop N takes smaller ones`,
    );
}

/** `10 crops of 28x28` */
export function describeViews({ name, options }: Views): string {
  const size = (options.size as readonly number[] | undefined)?.join("x");
  if (name === "multiScale") {
    const sizes = (options.sizes as readonly number[]).join(", ");
    return `whole images, shorter side ${sizes}${options.flip === true ? ", and mirrored" : ""}`;
  }
  return { center: `the middle ${size}`, fiveCrop: `5 crops of ${size}`, tenCrop: `10 crops of ${size}` }[name] ?? name;
}
