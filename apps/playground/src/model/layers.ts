import { ArgumentError, crossEntropyPerSample, input, nearMatches, type Shape, ShapeError, sizeOf } from "@ocelli/core";
import { Flatten, Linear, logitsOf, type Module, Sequential, traceModule } from "@ocelli/layers";
import type { BuiltModel } from "./build.js";
import { type LayerKind, layerKinds } from "./layer-kinds.js";
import type { LayerSpec, LayersSpec } from "./spec.js";
import { construct, literal, type Written } from "./written.js";

export { type LayerKind, layerKinds } from "./layer-kinds.js";

/** @throws ArgumentError with near matches */
export function layerKind(of: string): LayerKind {
  const found = layerKinds.find((kind) => kind.of === of);
  if (found !== undefined) return found;
  const near = nearMatches(
    of,
    layerKinds.map((kind) => kind.of),
  );
  throw new ArgumentError(
    `model: there is no layer "${of}"${near.length > 0 ? `; did you mean ${near.join(" or ")}?` : ""}`,
    { of },
  );
}

/** All numbers of a layer, those that are left out with their defaults. @throws ArgumentError for what the kind does not take */
export function layerOptions({ of, options }: LayerSpec): Readonly<Record<string, number>> {
  const { fields } = layerKind(of);
  return Object.fromEntries(
    fields.map(({ name, label, default: usual, min, max, step = 1 }) => {
      const value = options[name] ?? usual;
      if (typeof value !== "number" || !(value >= min && value <= max) || (step === 1 && !Number.isInteger(value)))
        throw new ArgumentError(
          `${label.toLowerCase()} is ${JSON.stringify(value)}; it needs a ${step === 1 ? "whole " : ""}number from ${min} to ${max}`,
          { name, value },
        );
      return [name, value];
    }),
  );
}

/** A layer of the chain as built, with the shape of one image behind it. */
export interface ChainLayer {
  readonly spec: LayerSpec;
  readonly before: Shape;
  readonly layer: Written<Module>;
  readonly after: Shape;
}

/** As far as a chain can be built, and what stops it there. */
export interface TriedChain {
  readonly chain: readonly ChainLayer[];
  readonly failed?: { readonly layer: number; readonly cause: Error };
}

/** Builds a chain layer by layer; what does not fit is in the result, with its place. */
export function tryChain({ input: image, layers }: Pick<LayersSpec, "input" | "layers">): TriedChain {
  const chain: ChainLayer[] = [];
  let before: Shape = image;
  for (const [i, spec] of layers.entries()) {
    try {
      const kind = layerKind(spec.of);
      if (kind.takes === "maps" && before.length !== 3)
        throw new ShapeError(
          `${kind.title} works on maps of [C, H, W], and ${before.join("×")} comes in. Put it before what flattens.`,
          { input: before },
        );
      const layer = kind.make(layerOptions(spec), before);
      const after = shapeAfter(layer.value, before);
      chain.push({ spec, before, layer, after });
      before = after;
    } catch (cause) {
      return { chain, failed: { layer: i, cause: cause as Error } };
    }
  }
  return { chain };
}

/** @throws ArgumentError that begins with the layer's place in the chain */
export function chainOf(spec: Pick<LayersSpec, "input" | "layers">): readonly ChainLayer[] {
  const { chain, failed } = tryChain(spec);
  if (failed === undefined) return chain;
  const { layer, cause } = failed;
  throw new ArgumentError(`layer ${layer + 1} (${spec.layers[layer]?.of}): ${cause.message}`, { layer, cause });
}

function shapeAfter(layer: Module, shape: Shape): Shape {
  const { output } = traceModule(layer, input("image", { shape: [1, ...shape], dtype: "float32" }));
  return output.shape.slice(1);
}

/** The chain and, behind it, what makes the logits: maps are flattened first. */
export function chainModules(spec: LayersSpec): readonly Written<Module>[] {
  const chain = chainOf(spec);
  const last = chain.at(-1)?.after ?? spec.input;
  const flat = last.length > 1 ? [construct({ Flatten })] : [];
  const head = construct({ Linear }, literal(sizeOf(last)), literal(spec.numClasses));
  return [...chain.map(({ layer }) => layer), ...flat, head];
}

export function buildLayers(spec: LayersSpec): BuiltModel {
  const modules = chainModules(spec).map(({ value }) => value);
  return {
    title: spec.name,
    model: new Sequential(...modules),
    input: spec.input,
    numClasses: spec.numClasses,
    head: `${modules.length - 1}`,
    entry: undefined,
    lossPerSample:
      (base = crossEntropyPerSample) =>
      (output, labels) =>
        base(logitsOf(output), labels),
  };
}
