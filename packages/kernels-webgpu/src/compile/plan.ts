/** A compiled program before it has memory on a device. */
import type { HostTensor, Node } from "@ocelli/core";
import { bytesIn, type Storage } from "../wgsl/storage.js";

/** `layer1.0.conv1/conv2d`: what is made, with its place in the model. */
export const pathOf = ({ scope }: Node, name: string): string => (scope === "" ? name : `${scope}/${name}`);

/** Where a value lies. */
export type Home =
  /** Between two dispatches of one run. */
  | { readonly kind: "arena" }
  /** Computed once, when the program is compiled. */
  | { readonly kind: "kept" }
  /** Fed with each run. */
  | { readonly kind: "input"; readonly name: string }
  /** An entry of the state, or one part of an oversized one. */
  | { readonly kind: "state"; readonly name: string; readonly part: number }
  | { readonly kind: "constant"; readonly host: HostTensor };

/** Anything that lies in a buffer. */
export class Value {
  readonly label: string;
  readonly storage: Storage;
  /** Elements of the tensor. */
  readonly size: number;
  readonly home: Home;

  constructor(label: string, storage: Storage, size: number, home: Home) {
    this.label = label;
    this.storage = storage;
    this.size = size;
    this.home = home;
  }

  /** Bytes of its binding: at least one vec4, so that nothing is empty. */
  get bytes(): number {
    return Math.max(16, Math.ceil(bytesIn(this.storage, this.size) / 16) * 16);
  }
}

export interface Bound {
  readonly value: Value;
  readonly access: "read" | "read_write";
}

/** One dispatch. */
export interface Step {
  /** `layer1.0.conv1/conv2d` */
  readonly label: string;
  /** `conv2d`, `conv2dWeightGrad.reduce`, `mul+add` */
  readonly name: string;
  readonly code: string;
  readonly bindings: readonly Bound[];
  readonly workgroups: readonly [number, number, number];
  readonly macs: number;
  /** Bytes of everything bound. */
  readonly bytes: number;
}

/** Memory to be copied when all steps are done. */
export interface Copy {
  readonly from: Value;
  readonly to: Value;
}

export interface Plan {
  /** Run once, when the program is compiled: they depend on constants alone. */
  readonly prelude: readonly Step[];
  readonly steps: readonly Step[];
  /** Updates that could not be written in place. */
  readonly copies: readonly Copy[];
  readonly outputs: readonly Value[];
  /** All leaves, by name. */
  readonly inputs: ReadonlyMap<string, Value>;
  readonly state: ReadonlyMap<string, Value>;
}
