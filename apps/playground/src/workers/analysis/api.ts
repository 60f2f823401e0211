import type { Shape } from "@ocelli/core";
import type { Compared, LayerRow, PeakMemory, Totals } from "@ocelli/inspect";
import type { Arrangement, GraphBox, SceneBox } from "@ocelli/inspect/graph";
import type { ImageShape, LayersSpec, ModelSpec } from "../../model/spec.js";

/** A box of the graph, with what it says on it and what goes in. */
export interface AnalysedBox extends GraphBox, Omit<SceneBox, "kind" | "id"> {
  /** Of one image; several where arrows of several shapes come in. */
  readonly inputShapes: readonly Shape[];
}

/** What a network consists of, from shapes alone. */
export interface Analysis {
  readonly spec: ModelSpec;
  readonly title: string;
  /** Of its paper; chains have none. */
  readonly citation: string | undefined;
  readonly input: ImageShape;
  readonly numClasses: number;
  /** A row for each call of a layer. */
  readonly rows: readonly LayerRow[];
  readonly totals: Totals;
  /** In the order of the graph: blocks before what they hold. */
  readonly boxes: readonly AnalysedBox[];
  /** Places in `boxes` of the blocks that are open at first. */
  readonly open: readonly number[];
  /** Those that are open where all levels are wanted, as many as a page can draw. */
  readonly openMore: readonly number[];
  readonly arrangement: Arrangement;
}

export interface MemoryOptions {
  readonly batch: number;
  /** What the optimizer keeps for each parameter. */
  readonly optimizerSlots: number;
}

export interface Memory {
  readonly inference: PeakMemory;
  readonly training: PeakMemory;
}

/** A layer of a chain as far as it could be built. */
export interface ChainStep {
  readonly after: Shape;
  readonly parameters: number;
}

export interface CheckedChain {
  readonly steps: readonly ChainStep[];
  /** Where the chain ends, and why. */
  readonly failed?: { readonly layer: number; readonly message: string };
}

/** Whether a network can be made. */
export type Verdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly message: string;
      /** The field at fault, where one is known. */
      readonly field?: "inputSize";
    };

/** What the worker answers. Each answer is found at once: a worker that takes too long is ended (see `Lane`). */
export interface AnalysisApi {
  /** @throws ArgumentError, ShapeError */
  analyse(spec: ModelSpec): Analysis;
  /** The graph with these blocks open. */
  arrange(spec: ModelSpec, open: readonly number[]): Arrangement;
  /** Peaks of memory by liveness. */
  memory(spec: ModelSpec, options: MemoryOptions): Memory;
  check(spec: ModelSpec): Verdict;
  chain(spec: Pick<LayersSpec, "input" | "layers">): CheckedChain;
  /** One model of a comparison, with the error published for it on `dataset`. */
  compared(spec: ModelSpec, dataset: string): Compared;
}
