// @ts-check
// Plain JavaScript, because worker threads load it as it stands: Node 20 runs no TypeScript. The loops are WebAssembly: with vectors they
// take a sixth of the time.
import { assemble, countDown, get, i32, i32x4, increase, repeat, set, v128 } from "./wasm.worker.js";

/** @typedef {import("./wasm.worker.js").Code} Code */

/** Bits behind the point of a weight: sums of 255 times weights that add up to one stay below 2^31. */
const bits = 22;

/**
 * Weights of one axis: position `i` becomes the sum over `k < taps` of `weights[i * taps + k]` times pixel `starts[i] + k`. Every window lies
 * within the picture.
 * @typedef {{ readonly starts: Int32Array, readonly weights: Int32Array, readonly taps: number }} Axis
 */

/**
 * A triangle filter as wide as the picture is scaled down, cut off at the picture's borders: what Pillow and torchvision
 * call bilinear, with Pillow's rounding.
 * @param {number} from pixels of the axis
 * @param {number} to pixels that they become
 * @param {number} first of those, the first that is wanted
 * @param {number} count how many are wanted
 * @returns {Axis}
 */
export function axisWeights(from, to, first, count) {
  const scale = from / to;
  const support = Math.max(scale, 1);
  const starts = new Int32Array(count);
  const ends = new Int32Array(count);
  let taps = 0;
  for (let i = 0; i < count; i++) {
    const center = (first + i + 0.5) * scale;
    starts[i] = Math.max(0, Math.trunc(center - support + 0.5));
    ends[i] = Math.min(from, Math.trunc(center + support + 0.5));
    taps = Math.max(taps, ends[i] - starts[i]);
  }
  const weights = new Int32Array(count * taps);
  const row = new Float64Array(taps);
  for (let i = 0; i < count; i++) {
    const center = (first + i + 0.5) * scale;
    const start = starts[i];
    const used = ends[i] - start;
    let sum = 0;
    for (let k = 0; k < used; k++) {
      row[k] = Math.max(0, 1 - Math.abs((start + k - center + 0.5) / support));
      sum += row[k];
    }
    starts[i] = Math.min(start, from - taps);
    const at = i * taps + start - starts[i];
    for (let k = 0; k < used; k++) weights[at + k] = Math.trunc(0.5 + (row[k] / sum) * 2 ** bits);
  }
  return { starts, weights, taps };
}

/**
 * The pixels that an axis reads.
 * @param {Axis} axis
 */
export function span({ starts, taps }) {
  const start = starts[0];
  return { start, length: starts[starts.length - 1] + taps - start };
}

/**
 * Scales pixels into planes, first along rows, then across them, rounded to bytes after each.
 * @param {{ readonly bytes: Uint8Array, readonly channels: number }} pixels what the axes read: rows of pixels of 1 or 3 channels
 * @param {{ readonly x: Axis, readonly y: Axis }} axes
 * @param {Uint8Array} out `[channels, positions of y, positions of x]`
 */
export function resample({ bytes, channels }, { x, y }, out) {
  const [width, height] = [span(x), span(y)];
  const [columns, rows] = [x.starts.length, y.starts.length];
  const plane = height.length * columns;
  // Loads and stores of whole vectors go a little beyond what they are for.
  const slack = 16;
  let end = 0;
  const place = (/** @type {number} */ length) => {
    const at = end;
    end += Math.ceil((length + slack) / 16) * 16;
    return at;
  };
  const [xStarts, xWeights] = [place(4 * columns), place(4 * x.weights.length)];
  const [yStarts, yWeights] = [place(4 * rows), place(4 * y.weights.length)];
  const [from, between, to] = [place(bytes.length), place(channels * plane), place(out.length)];
  const missing = end - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const words = new Int32Array(memory.buffer);
  words.set(
    x.starts.map((start) => (start - width.start) * channels),
    xStarts / 4,
  );
  words.set(x.weights, xWeights / 4);
  words.set(
    y.starts.map((start) => (start - height.start) * columns),
    yStarts / 4,
  );
  words.set(y.weights, yWeights / 4);
  const all = new Uint8Array(memory.buffer);
  all.set(bytes, from);
  // Of one channel all three sums are stored in one place, the right one last.
  const apart = channels === 1 ? 0 : plane;
  alongRows(from, width.length * channels, height.length, between, apart, columns, xStarts, xWeights, x.taps, channels);
  for (let c = 0; c < channels; c++) {
    acrossRows(between + c * plane, columns, rows, yStarts, yWeights, y.taps, to + c * rows * columns);
  }
  out.set(all.subarray(to, to + out.length));
}

const memory = new WebAssembly.Memory({ initial: 64 });
const rounding = i32x4.splat(i32.const(2 ** (bits - 1)));

/** For each row and each position, the weighted sums of three neighbouring bytes. */
function alongRowsCode() {
  const [from, rowBytes, rows, out, plane, columns, starts, weights, taps, step] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const [left, start, weight, at, tap, sum] = [10, 11, 12, 13, 14, 15];
  const product = i32x4.mul(v128.low16(v128.low8(v128.load32(get(at)))), i32x4.splat(i32.load(get(weight))));
  const store = (/** @type {number} */ c) =>
    i32.store8(i32.add(get(out), i32.mul(get(plane), i32.const(c))), i32x4.lane(get(sum), c));
  const code = repeat(
    set(left, get(columns)),
    set(start, get(starts)),
    set(weight, get(weights)),
    repeat(
      set(at, i32.add(get(from), i32.load(get(start)))),
      set(sum, rounding),
      set(tap, get(taps)),
      repeat(
        set(sum, i32x4.add(get(sum), product)),
        increase(at, get(step)),
        increase(weight, i32.const(4)),
        countDown(tap),
      ),
      set(sum, i32x4.shiftRight(get(sum), bits)),
      [2, 1, 0].map(store),
      increase(out, i32.const(1)),
      increase(start, i32.const(4)),
      countDown(left),
    ),
    increase(from, get(rowBytes)),
    countDown(rows),
  );
  return { name: "alongRows", params: 10, integers: 5, vectors: 1, code };
}

/** For each position and sixteen bytes of a row at a time, the weighted sums of the rows from there. */
function acrossRowsCode() {
  const [between, columns, rows, starts, weights, taps, out] = [0, 1, 2, 3, 4, 5, 6];
  const [column, at, tap, weight, bytes, factor] = [7, 8, 9, 10, 11, 12];
  const sums = [13, 14, 15, 16];
  const halves = [v128.low8(get(bytes)), v128.high8(get(bytes))];
  const quarters = halves.flatMap((half) => [v128.low16(half), v128.high16(half)]);
  const code = repeat(
    set(column, i32.const(0)),
    repeat(
      sums.map((sum) => set(sum, rounding)),
      set(at, i32.add(i32.add(get(between), i32.load(get(starts))), get(column))),
      set(tap, get(taps)),
      set(weight, get(weights)),
      repeat(
        set(bytes, v128.load(get(at))),
        set(factor, i32x4.splat(i32.load(get(weight)))),
        sums.map((sum, i) => set(sum, i32x4.add(get(sum), i32x4.mul(/** @type {Code} */ (quarters[i]), get(factor))))),
        increase(at, get(columns)),
        increase(weight, i32.const(4)),
        countDown(tap),
      ),
      v128.store(i32.add(get(out), get(column)), v128.bytes(sums.map((sum) => i32x4.shiftRight(get(sum), bits)))),
      increase(column, i32.const(16)),
      i32.lessUnsigned(get(column), get(columns)),
    ),
    increase(out, get(columns)),
    increase(starts, i32.const(4)),
    increase(weights, i32.mul(get(taps), i32.const(4))),
    countDown(rows),
  );
  return { name: "acrossRows", params: 7, integers: 4, vectors: 6, code };
}

const module = new WebAssembly.Module(assemble([alongRowsCode(), acrossRowsCode()]));
const { alongRows, acrossRows } = /** @type {Record<string, (...numbers: number[]) => void>} */ (
  /** @type {unknown} */ (new WebAssembly.Instance(module, { env: { memory } }).exports)
);
