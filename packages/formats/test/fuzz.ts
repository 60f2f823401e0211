import { readFileSync } from "node:fs";
import { getHeapStatistics } from "node:v8";
import { FormatError, hostTensor, OcelliError } from "@ocelli/core";
import { unzipSync, zipSync } from "fflate";
import { type FileTensor, fromHostTensor, toHostTensor } from "../src/file-tensor.js";
import { isFileElement } from "../src/onnx/element-type.js";
import { decodeModel, float, GraphBuilder, int64Tensor, tensorToHost } from "../src/onnx/index.js";
import { readPyTorch, stateDictOf } from "../src/pytorch.js";
import { readSafetensors, writeSafetensors } from "../src/safetensors.js";
import { randomSource } from "./random.js";

/** What a run of {@link run} saw. */
export interface FuzzReport {
  readonly files: number;
  /** Files that were read although they were changed. */
  readonly read: number;
  /** Files that were refused, by the kind of file. */
  readonly refused: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** Bytes of typed arrays that reading a file asked for, as a multiple of the file's size: the largest. */
  readonly largestRatio: number;
  /** Growth of the heap and of memory outside of it while a file was read: the largest, in bytes. */
  readonly largestGrowth: number;
}

/** A file takes a few milliseconds; this much means that something goes on and on. */
const maxMs = 2000;
/** What may be allocated: 40 bytes a byte of the file (16 by PyTorch's reader, the rest by conversions), and 2 MiB. */
const allowed = (size: number): number => 40 * size + 2 ** 21;
/** The garbage of one file, and of a collection that happens to be due. */
const allowedGrowth = 48 * 2 ** 20;

/**
 * Reads `count` changed files, a third each of safetensors, PyTorch and ONNX: bits flipped, ends cut off, pieces moved in from
 * elsewhere, length fields set to extremes. File `i` of a seed is the same in any run.
 * @throws Error that names the file when anything but a named error comes out, or it takes too much time or memory
 */
export function run(count: number, seed: number): FuzzReport {
  const files = corpus();
  const counter = new AllocationCounter();
  const refused: Record<string, number> = {};
  let [read, slowestMs, largestRatio, largestGrowth] = [0, 0, 0, 0];
  try {
    for (const { kind, bytes, parse } of files) {
      const problem = attempt(parse, bytes);
      if (problem !== undefined) throw new Error(`${kind}: refused before it was changed`, { cause: problem });
    }
    for (let i = 0; i < count; i++) {
      const { kind, bytes, parse } = files[i % files.length] as Sample;
      const changed = mutated(bytes, files, randomSource(seed * 1_000_003 + i));
      const heap = heapBytes();
      counter.bytes = 0;
      const start = performance.now();
      const outcome = attempt(parse, changed);
      const ms = performance.now() - start;
      const growth = heapBytes() - heap;
      const where = `${kind}, seed ${seed}, file ${i}, ${changed.length} bytes`;
      if (outcome instanceof Error && !(outcome instanceof OcelliError))
        throw new Error(`${where}`, { cause: outcome });
      if (ms > maxMs) throw new Error(`${where}: took ${ms.toFixed(0)} ms`);
      if (counter.bytes > allowed(changed.length)) throw new Error(`${where}: asked for ${counter.bytes} bytes`);
      if (growth > allowedGrowth) throw new Error(`${where}: the heap grew by ${growth} bytes`);
      if (outcome === undefined) read++;
      else refused[kind] = (refused[kind] ?? 0) + 1;
      slowestMs = Math.max(slowestMs, ms);
      largestRatio = Math.max(largestRatio, counter.bytes / Math.max(1, changed.length));
      largestGrowth = Math.max(largestGrowth, growth);
    }
  } finally {
    counter.restore();
  }
  return { files: count, read, refused, slowestMs, largestRatio, largestGrowth };
}

function attempt(parse: (bytes: Uint8Array) => void, bytes: Uint8Array): unknown {
  try {
    parse(bytes);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(`threw ${String(error)}`);
  }
}

function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

const counted = [
  "ArrayBuffer",
  "Uint8Array",
  "Int8Array",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
] as const;
type Constructor = new (...args: unknown[]) => { readonly byteLength: number };

/** Stands in for the constructors of typed arrays, and adds up what they allocate. */
class AllocationCounter {
  bytes = 0;
  readonly #originals = new Map<string, unknown>();

  constructor() {
    for (const name of counted) {
      const original = globalThis[name] as unknown as Constructor;
      this.#originals.set(name, original);
      const construct = (target: Constructor, args: unknown[], self: Constructor) => {
        const made = Reflect.construct(target, args, self) as InstanceType<Constructor>;
        // Over a buffer, an array is a view.
        if (!(args[0] instanceof ArrayBuffer)) this.bytes += made.byteLength;
        return made;
      };
      Object.assign(globalThis, { [name]: new Proxy(original, { construct }) });
    }
  }

  restore(): void {
    Object.assign(globalThis, Object.fromEntries(this.#originals));
  }
}

interface Sample {
  readonly kind: "safetensors" | "pytorch" | "onnx";
  readonly bytes: Uint8Array;
  readonly parse: (bytes: Uint8Array) => void;
}

const read = {
  safetensors(bytes: Uint8Array): void {
    convertAll(readerOnly(() => readSafetensors(bytes)).tensors);
  },
  pytorch(bytes: Uint8Array): void {
    const value = readerOnly(() => readPyTorch(bytes));
    convertAll(readerOnly(() => stateDictOf(value)));
  },
  onnx(bytes: Uint8Array): void {
    const { graph } = readerOnly(() => decodeModel(bytes));
    for (const tensor of graph.initializers) if (isFileElement(tensor.dtype)) tensorToHost(tensor);
  },
};

/** Whatever a reader finds wrong is a FormatError; other named errors are for conversions. */
function readerOnly<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new Error("a reader threw what is no FormatError", { cause: error });
  }
}

function convertAll(tensors: ReadonlyMap<string, FileTensor>): void {
  for (const [name, tensor] of tensors) toHostTensor(tensor, name);
}

/** Three of each kind, in turn. */
function corpus(): readonly Sample[] {
  const fixture = (name: string): Uint8Array =>
    new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
  const zip = fixture("pytorch-zip.pt");
  const samples = {
    safetensors: [safetensorsFile(3), safetensorsFile(12), safetensorsFile(0)],
    pytorch: [zip, fixture("pytorch-legacy.pt"), zipSync(unzipSync(zip), { level: 9 })],
    onnx: [onnxFile(false), onnxFile(true), onnxFile(false)],
  };
  return [0, 1, 2].flatMap((i) =>
    (["safetensors", "pytorch", "onnx"] as const).map((kind) => ({
      kind,
      bytes: samples[kind][i] as Uint8Array,
      parse: read[kind],
    })),
  );
}

function safetensorsFile(layers: number): Uint8Array {
  const tensors = new Map<string, FileTensor>();
  for (let i = 0; i < layers; i++) {
    tensors.set(`layer${i}.weight`, fromHostTensor(hostTensor(Float32Array.from({ length: 6 }, Math.sin), [2, 3])));
    tensors.set(`layer${i}.counter`, fromHostTensor(hostTensor(Int32Array.of(i), []), { dtype: "I64" }));
    tensors.set(`layer${i}.half`, fromHostTensor(hostTensor(new Float32Array(2), [2, 1]), { dtype: "BF16" }));
  }
  return writeSafetensors(tensors, { format: "pt", é: '"\\' });
}

function onnxFile(withBranches: boolean): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input("x", { dtype: "float32", shape: ["N", 1, 4, 4] });
  const weight = b.initializer(hostTensor(Float32Array.from({ length: 18 }, Math.cos), [2, 1, 3, 3]), "conv.weight");
  const bias = b.initializer({ name: "", dtype: "float16", shape: [2], bytes: new Uint8Array(4) }, "bias");
  const words = { name: "", dtype: "string", shape: [2], bytes: new Uint8Array(0), strings: ["cat", "dog"] } as const;
  b.output("names", b.node("Identity", [b.initializer(words, "words")]), { dtype: "string", shape: [2] });
  const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], alpha: float(0.5), auto_pad: "NOTSET" };
  const y = b.node("Conv", [x, weight, b.node("Cast", [bias], { to: 1 })], attributes, { name: "conv" });
  const shape = b.initializer(int64Tensor([-1, 32]), "shape");
  b.output("y", b.node("Reshape", [y, shape]), { dtype: "float32", shape: ["N", 32] });
  if (withBranches) addBranches(b);
  return b.encode({ metadata: { author: "me" }, doc: "A small model" });
}

/** Graphs in an attribute: messages in messages. */
function addBranches(b: GraphBuilder): void {
  const [yes, no] = [b.subgraph(), b.subgraph()];
  for (const [i, branch] of [yes, no].entries()) {
    branch.output("z", branch.node("Identity", [branch.scalar(i, "float32")]), { dtype: "float32", shape: [] });
  }
  const condition = b.initializer({ name: "", dtype: "bool", shape: [], bytes: Uint8Array.of(1) });
  const z = b.node("If", [condition], { then_branch: yes, else_branch: no });
  b.output("branch", z, { dtype: "float32", shape: [] });
}

type Random = (below: number) => number;

/** A copy with one to four changes; the first bytes and the last, where lengths and directories stand, are hit more often. */
function mutated(bytes: Uint8Array, others: readonly Sample[], random: Random): Uint8Array {
  let out: Uint8Array = bytes.slice();
  // One, mostly: after many, little more than the first check is reached.
  const changes = random(3) > 0 ? 1 : 1 + random(4);
  for (let i = 0; i < changes && out.length > 0; i++) {
    const change = mutations[random(mutations.length)] as Mutation;
    out = change(out, position(out.length, random), random, others);
  }
  return out;
}

function position(length: number, random: Random): number {
  const region = random(4);
  if (region === 0) return random(Math.min(length, 128));
  if (region === 1) return length - 1 - random(Math.min(length, 1024));
  return random(length);
}

type Mutation = (bytes: Uint8Array, at: number, random: Random, others: readonly Sample[]) => Uint8Array;

const mutations: readonly Mutation[] = [
  (bytes, at, random) => {
    bytes[at] = (bytes[at] as number) ^ (1 << random(8));
    return bytes;
  },
  (bytes, at, random) => {
    bytes[at] = random(256);
    return bytes;
  },
  // A cut.
  (bytes, at) => bytes.slice(0, at),
  // A piece removed, repeated, or moved in from another file.
  (bytes, at, random) => joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random(64))),
  (bytes, at, random) => joined(bytes.subarray(0, at + random(64)), bytes.subarray(at)),
  (bytes, at, random, others) => {
    const { bytes: other } = others[random(others.length)] as Sample;
    const from = random(other.length);
    return joined(bytes.subarray(0, at), other.subarray(from, from + random(256)), bytes.subarray(at + random(256)));
  },
  // Lengths, counts and offsets.
  extreme,
  extreme,
];

function extreme(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  const width = [1, 2, 4, 8][random(4)] as number;
  const bits = BigInt(8 * width);
  const { length } = bytes;
  const all = (1n << bits) - 1n;
  const values = [0n, 1n, all, all >> 1n, (all >> 1n) + 1n, BigInt(length), BigInt(length + 1), BigInt(1032 * length)];
  const value = BigInt.asUintN(8 * width, values[random(values.length)] as bigint);
  const bigEndian = random(4) === 0;
  for (let i = 0; i < width && at + i < length; i++) {
    const shift = BigInt(8 * (bigEndian ? width - 1 - i : i));
    bytes[at + i] = Number((value >> shift) & 255n);
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
