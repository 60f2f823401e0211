/** Reads what fixtures/generate.py writes. */
import { readFileSync } from "node:fs";

export interface Values {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface Encoded {
  readonly shape: readonly number[];
  /** Multiples of 1/64. */
  readonly i8?: string;
  readonly f64?: string;
}

export interface Pass {
  /** null: the layer does the same in both modes. */
  readonly training: boolean | null;
  readonly y: Encoded;
  readonly dx: Encoded;
  readonly grads: Readonly<Record<string, Encoded>>;
  /** Those that the pass changed. */
  readonly buffers: Readonly<Record<string, Encoded | number>>;
}

export interface LayerCase {
  readonly layer: string;
  // biome-ignore lint/suspicious/noExplicitAny: arguments of constructors, whatever they are
  readonly args: readonly any[];
  readonly note: string;
  readonly x: Encoded;
  readonly dy: Encoded;
  readonly state: Readonly<Record<string, Encoded | number>>;
  readonly passes: readonly Pass[];
}

interface Bounds {
  readonly shape: readonly number[];
  readonly max: number;
  readonly std: number;
}

export interface InitFixture {
  readonly gains: readonly (readonly [string, number | null, number])[];
  readonly fans: readonly (readonly [readonly number[], number, number])[];
  readonly layers: Readonly<Record<string, Readonly<Record<string, Bounds>>>>;
  readonly methods: Readonly<Record<string, Bounds>>;
}

function lines(name: string): unknown[] {
  const text = readFileSync(new URL(`../fixtures/${name}`, import.meta.url), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

export const layerCases = lines("layers.jsonl") as LayerCase[];
export const initFixture = lines("init.jsonl")[0] as InitFixture;

export function decode(encoded: Encoded | number): Values {
  if (typeof encoded === "number") return { shape: [], data: Float64Array.of(encoded) };
  const { shape, i8, f64 } = encoded;
  const bytes = new Uint8Array(Buffer.from((i8 ?? f64) as string, "base64"));
  const data =
    i8 !== undefined ? Float64Array.from(new Int8Array(bytes.buffer), (k) => k / 64) : new Float64Array(bytes.buffer);
  return { shape, data };
}
