import { input, type Shape, ShapeError } from "@ocelli/core";
import { type Compared, compare, peakMemory, summary } from "@ocelli/inspect";
import {
  type Arrangement,
  arrangementOf,
  type ModelGraph,
  modelGraph,
  openBlocks,
  type Scene,
  type SceneBox,
  sceneOf,
} from "@ocelli/inspect/graph";
import { traceModule } from "@ocelli/layers";
import { createModel, leastInputSize, type ModelName } from "@ocelli/zoo";
import { type BuiltModel, buildModel, parameterCount } from "../../model/build.js";
import { tryChain } from "../../model/layers.js";
import type { LayersSpec, ModelSpec } from "../../model/spec.js";
import type { AnalysedBox, Analysis, CheckedChain, Memory, MemoryOptions, Verdict } from "./api.js";

/** More boxes than this are too many for a first look. */
const firstLook = 40;

/** More than this keep a page busy while it draws. */
const drawable = 400;

/** The graph that was drawn last: opening and closing its blocks needs no new layout. */
let last: { readonly key: string; readonly graph: ModelGraph; readonly scene: Scene } | undefined;

function drawn(spec: ModelSpec, built: BuiltModel): { readonly graph: ModelGraph; readonly scene: Scene } {
  const key = JSON.stringify(spec);
  if (last?.key !== key) {
    const graph = modelGraph(built.model, built.input, { name: built.title });
    last = { key, graph, scene: sceneOf(graph) };
  }
  return last;
}

/** @throws ArgumentError, ShapeError */
export function analyse(spec: ModelSpec): Analysis {
  const built = buildModel(spec);
  const { title, entry, input: image, numClasses, model } = built;
  const { rows, totals } = summary(model, image);
  const { graph, scene } = drawn(spec, built);
  const open = openBlocks(graph, { boxes: firstLook });
  return {
    spec,
    title,
    citation: entry?.citation,
    input: image,
    numClasses,
    rows,
    totals,
    boxes: boxesOf(graph, scene),
    open,
    openMore: openBlocks(graph, { boxes: drawable }),
    arrangement: arrangementOf(scene, open),
  };
}

export function arrange(spec: ModelSpec, open: readonly number[]): Arrangement {
  const { scene } = last?.key === JSON.stringify(spec) ? last : drawn(spec, buildModel(spec));
  return arrangementOf(scene, open);
}

function boxesOf({ boxes, edges }: ModelGraph, { boxes: drawings }: Scene): AnalysedBox[] {
  const parents = new Map(boxes.map(({ id, parent }) => [id, parent]));
  /** A box and the blocks around it, from the inside. */
  const around = (id: string): string[] => {
    const found: string[] = [];
    for (let at: string | null = id; at !== null; at = parents.get(at) ?? null) found.push(at);
    return found;
  };
  const entering = new Map<string, Map<string, Shape>>();
  for (const { from, to, shape } of edges) {
    const outside = new Set(around(from));
    for (const id of around(to)) {
      if (outside.has(id)) break;
      const shapes = entering.get(id) ?? new Map<string, Shape>();
      entering.set(id, shapes.set(shape.join("x"), shape));
    }
  }
  return boxes.map((box, i) => {
    const { title, lines, about, plan } = drawings[i] as SceneBox;
    return { ...box, title, lines, about, plan, inputShapes: [...(entering.get(box.id)?.values() ?? [])] };
  });
}

/** @throws ArgumentError, ShapeError */
export function memory(spec: ModelSpec, { batch, optimizerSlots }: MemoryOptions): Memory {
  const { model, input: image } = buildModel(spec);
  return {
    inference: peakMemory(model, image, { batch }),
    training: peakMemory(model, image, { batch, training: true, optimizerSlots }),
  };
}

/** Whether the network can be made and takes its images, by shapes alone. */
export function check(spec: ModelSpec): Verdict {
  try {
    const { model, input: image } = buildModel(spec);
    traceModule(model, input("images", { shape: [1, ...image], dtype: "float32" }));
    return { ok: true };
  } catch (error) {
    return refusal(spec, error as Error);
  }
}

function refusal(spec: ModelSpec, error: Error): Verdict {
  const sized = spec.kind !== "layers" && spec.inputSize !== undefined;
  if (!(error instanceof ShapeError) || !sized) return { ok: false, message: error.message };
  return { ok: false, field: "inputSize", message: leastSize(spec) ?? error.message };
}

/** The zoo's own words of an image that is too small, with the least size that works. */
function leastSize(spec: Exclude<ModelSpec, LayersSpec>): string | undefined {
  const { inputSize = 0, inChannels, numClasses } = spec;
  const options = { ...(inChannels !== undefined && { inChannels }), ...(numClasses !== undefined && { numClasses }) };
  try {
    if (spec.kind === "zoo") {
      createModel(spec.name as ModelName, { ...options, inputSize });
      return undefined;
    }
    const { inputSize: _, ...usual } = spec;
    const { model, title, input: image } = buildModel(usual);
    const least = leastInputSize(model, { inChannels: image[0] });
    return `${title}: ${inputSize}x${inputSize} images are too small; the least is ${least}x${least}`;
  } catch (error) {
    return (error as Error).message;
  }
}

export function chain(spec: Pick<LayersSpec, "input" | "layers">): CheckedChain {
  const { chain: layers, failed } = tryChain(spec);
  const steps = layers.map(({ layer, after }) => ({
    after,
    parameters: parameterCount(layer.value),
  }));
  return failed === undefined ? { steps } : { steps, failed: { layer: failed.layer, message: failed.cause.message } };
}

/** @throws ArgumentError, ShapeError */
export function compared(spec: ModelSpec, dataset: string): Compared {
  const { model, input: image, title, entry } = buildModel(spec);
  // What was published holds for the paper's own network.
  const own = spec.kind === "zoo" && spec.inputSize === undefined && spec.inChannels === undefined ? entry : undefined;
  const found = compare(
    [
      {
        name: title,
        input: image,
        build: () => model,
        ...(entry !== undefined && { summary: entry.summary, citation: entry.citation }),
        ...(own?.published !== undefined && { published: own.published }),
        ...(own?.weights !== undefined && { weights: own.weights }),
      },
    ],
    { dataset },
  );
  return found.models[0] as Compared;
}
