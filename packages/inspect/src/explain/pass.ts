import { ArgumentError, cast, formatSpec, mul, nearMatches, Tensor, type Tensors } from "@ocelli/core";
import { Context, logitsOf, type Module } from "@ocelli/layers";

/** What happens to images on the device before the model sees them: any transform of `@ocelli/training`, `normalize` above all. */
export interface ImageTransform {
  /** Images float32 `[N, C, H, W]` in 0..1 -> what the model takes. */
  apply(batch: { readonly images: Tensor }, ctx: Context): { readonly images: Tensor };
}

/** A network, and what it is shown of an image. */
export interface Network {
  readonly model: Module<Tensor, unknown>;
  readonly transform?: ImageTransform | undefined;
}

/** Images as they travel, uint8 or float32, as float32 in 0..1: what explanations are about. */
export function pixelsOf(images: Tensor): Tensor {
  return images.dtype === "uint8" ? mul(cast(images, "float32"), 1 / 255) : images;
}

/** One pass of a network in evaluation, with what its layers gave. */
export class Pass {
  /** What the model was given, after the transform. */
  readonly seen: Tensor;
  readonly output: unknown;
  /** What each layer gave, in the order in which they ended: inner before outer. Of several calls the last. */
  readonly outputs = new Map<string, unknown>();
  readonly #model: Network["model"];

  constructor({ model, transform }: Network, pixels: Tensor, state: Tensors) {
    const ctx = new Context(model, {
      state,
      taps: ({ path, output }) => {
        // Deleted first, so that the order is that of the last calls.
        this.outputs.delete(path);
        this.outputs.set(path, output);
      },
    });
    this.#model = model;
    this.seen = transform === undefined ? pixels : transform.apply({ images: pixels }, ctx).images;
    this.output = ctx.call(model, this.seen);
  }

  /** @throws ArgumentError for a model that does not tell classes apart */
  get logits(): Tensor {
    const logits = logitsOf(this.output ?? {});
    if (logits instanceof Tensor && logits.shape.length === 2) return logits;
    const what = logits instanceof Tensor ? formatSpec(logits) : "something else than logits";
    throw new ArgumentError(`explain: the model returned ${what}; a class needs logits [N, classes] to be explained`);
  }

  /** What a layer gave. @throws ArgumentError with near matches for an unknown path; for a layer that gives no tensor */
  layer(path: string): Tensor {
    const output = this.outputs.get(path);
    if (output instanceof Tensor && path !== "") return output;
    throw new ArgumentError(`explain: ${this.#whyNot(path)}`, { layer: path });
  }

  /** What a layer with a map gave, `[N, C, H, W]`. @throws ArgumentError for one without */
  map(path: string): Tensor {
    const output = this.layer(path);
    if (output.shape.length === 4) return output;
    throw new ArgumentError(
      `explain: layer ${path} gives ${formatSpec(output)}; it needs a map [N, C, H, W]. layersOf(model, image) lists the layers that have one`,
      { layer: path },
    );
  }

  #whyNot(path: string): string {
    if (path !== "" && this.outputs.has(path)) return `layer ${path} gives something else than a tensor`;
    if (path !== "" && this.#model.modules().has(path)) return `layer ${path} is not used in evaluation`;
    const paths = [...this.outputs.keys()].filter((known) => known !== "");
    const near = nearMatches(path, paths);
    const listed = paths.length > 8 ? `${paths.slice(0, 8).join(", ")} ...` : paths.join(", ") || "none";
    const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : `there are ${listed}`;
    return `the model has no layer "${path}"; ${hint}`;
  }
}
