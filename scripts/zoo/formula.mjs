// Weights and images that any language can rebuild: the formula of the oracle's generate.py (`--data-dir`/oracle).
import { hostTensor } from "@ocelli/core";
import { inventory } from "@ocelli/layers";

/** 32-bit FNV-1a of a name in UTF-8. */
function fnv1a(name) {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** `count` numbers in [0, 1), multiples of 2^-24, from a counter-based hash; `map` makes values of them. */
function numbers(name, count, map) {
  const seed = fnv1a(name);
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let z = (seed + Math.imul(i, 0x9e3779b9)) | 0;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    z ^= z >>> 15;
    out[i] = map((z >>> 8) / 2 ** 24);
  }
  return out;
}

function value(name, { shape, dtype }) {
  const count = shape.reduce((a, b) => a * b, 1);
  if (dtype === "int32") return hostTensor(new Int32Array(count), shape);
  const leaf = name.slice(name.lastIndexOf(".") + 1);
  if (shape.length >= 2) {
    const bound = Math.sqrt(6 / (count / shape[0]));
    return hostTensor(
      numbers(name, count, (u) => (2 * u - 1) * bound),
      shape,
    );
  }
  const spread = leaf === "running_var" || leaf === "weight";
  return hostTensor(numbers(name, count, spread ? (u) => 0.5 + u : (u) => (2 * u - 1) * 0.1), shape);
}

/** The state of a model, each value a function of its name alone. */
export function formulaState(model) {
  const { parameters, buffers } = inventory(model);
  const all = (entries) => Object.fromEntries([...entries].map(([name, entry]) => [name, value(name, entry)]));
  return { params: all(parameters), buffers: all(buffers) };
}

/** Images `[N, C, H, W]` in -2..2. */
export function formulaImages(shape) {
  const count = shape.reduce((a, b) => a * b, 1);
  return hostTensor(
    numbers("input", count, (u) => (2 * u - 1) * 2),
    shape,
  );
}

export const formulaLabels = (count, classes) =>
  hostTensor(Int32Array.from({ length: count }, (_, i) => (i * 37 + 11) % classes));
