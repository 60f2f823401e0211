import type { RecipeValue } from "@ocelli/zoo";

/** `[C, H, W]`. */
export type ImageShape = readonly [number, number, number];

/**
 * A network as data, so that an address, a stored file and a worker can hold it. `build.ts` makes the network of it.
 *
 * - `zoo`: a model by its name;
 * - `family`: one of a paper's own kin, by its numbers (depth, width, growth ...): see `families.ts`;
 * - `layers`: a chain that somebody put together: see `layers.ts`.
 */
export type ModelSpec = ZooSpec | FamilySpec | LayersSpec;

export interface ZooSpec {
  readonly kind: "zoo";
  readonly name: string;
  /** Left out: the model's own. */
  readonly inputSize?: number;
  readonly numClasses?: number;
  readonly inChannels?: number;
}

export interface FamilySpec {
  readonly kind: "family";
  readonly family: string;
  /** Of the family's fields; those that are left out have their defaults. */
  readonly values: { readonly [field: string]: number | string | boolean };
  readonly inputSize?: number;
  readonly numClasses?: number;
  readonly inChannels?: number;
}

export interface LayersSpec {
  readonly kind: "layers";
  readonly name: string;
  readonly input: ImageShape;
  readonly numClasses: number;
  readonly layers: readonly LayerSpec[];
}

/** A layer of a chain; `of` names a kind in `layers.ts`, which says what options it has. */
export interface LayerSpec {
  readonly of: string;
  readonly options: { readonly [name: string]: RecipeValue };
}
