// @ts-check
// Just enough of a WebAssembly assembler for the loops of resample.worker.js: instructions are arrays of bytes, nested at will.

/** @typedef {number | readonly Code[]} Code */

/** @type {(value: number) => number[]} */
const unsigned = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]);

/** @type {(value: number) => number[]} */
const signed = (value) => (value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]);

const simd = (/** @type {number} */ code) => [0xfd, ...unsigned(code)];
/** Aligned to one byte, without an offset. */
const anywhere = [0, 0];

export const i32 = {
  const: (/** @type {number} */ value) => [0x41, ...signed(value)],
  load: (/** @type {Code} */ at) => [at, 0x28, anywhere],
  store8: (/** @type {Code} */ at, /** @type {Code} */ value) => [at, value, 0x3a, anywhere],
  add: (/** @type {Code} */ a, /** @type {Code} */ b) => [a, b, 0x6a],
  mul: (/** @type {Code} */ a, /** @type {Code} */ b) => [a, b, 0x6c],
  lessUnsigned: (/** @type {Code} */ a, /** @type {Code} */ b) => [a, b, 0x49],
};

export const i32x4 = {
  splat: (/** @type {Code} */ value) => [value, simd(0x11)],
  add: (/** @type {Code} */ a, /** @type {Code} */ b) => [a, b, simd(0xae)],
  mul: (/** @type {Code} */ a, /** @type {Code} */ b) => [a, b, simd(0xb5)],
  shiftRight: (/** @type {Code} */ a, /** @type {number} */ bits) => [a, i32.const(bits), simd(0xac)],
  lane: (/** @type {Code} */ a, /** @type {number} */ lane) => [a, simd(0x1b), lane],
};

export const v128 = {
  load: (/** @type {Code} */ at) => [at, simd(0x00), anywhere],
  /** Four bytes; the others are zero. */
  load32: (/** @type {Code} */ at) => [at, simd(0x5c), anywhere],
  store: (/** @type {Code} */ at, /** @type {Code} */ value) => [at, value, simd(0x0b), anywhere],
  /** The lower or upper eight bytes as 16-bit numbers, four of those as 32-bit ones. */
  low8: (/** @type {Code} */ a) => [a, simd(0x89)],
  high8: (/** @type {Code} */ a) => [a, simd(0x8a)],
  low16: (/** @type {Code} */ a) => [a, simd(0xa9)],
  high16: (/** @type {Code} */ a) => [a, simd(0xaa)],
  /** Sixteen 32-bit numbers as bytes, cut off at 0 and 255. */
  bytes: (/** @type {readonly Code[]} */ [a, b, c, d]) => [a, b, simd(0x85), c, d, simd(0x85), simd(0x66)],
};

export const get = (/** @type {number} */ local) => [0x20, ...unsigned(local)];
export const set = (/** @type {number} */ local, /** @type {Code} */ value) => [value, 0x21, ...unsigned(local)];
export const increase = (/** @type {number} */ local, /** @type {Code} */ by) => set(local, i32.add(get(local), by));
/** Runs once and then again while the condition, the last of the code, is not zero. */
export const repeat = (/** @type {Code[]} */ ...code) => [0x03, 0x40, code, 0x0d, 0, 0x0b];
/** Counts a local down; code for the end of {@link repeat}. */
export const countDown = (/** @type {number} */ local) => [increase(local, i32.const(-1)), get(local)];

/**
 * @typedef {object} Func
 * @property {string} name
 * @property {number} params integers; further locals follow them
 * @property {number} integers
 * @property {number} vectors
 * @property {Code} code
 */

/**
 * A module of functions without results over an imported memory `env.memory`.
 * @param {readonly Func[]} functions
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function assemble(functions) {
  const list = (/** @type {Code[]} */ items) => [unsigned(items.length), items];
  const text = (/** @type {string} */ name) => list([...new TextEncoder().encode(name)]);
  const sized = (/** @type {Code} */ code) => {
    const bytes = [code].flat(Number.POSITIVE_INFINITY);
    return [unsigned(bytes.length), bytes];
  };
  const section = (/** @type {number} */ id, /** @type {Code} */ code) => [id, sized(code)];
  const [integer, vector] = [0x7f, 0x7b];
  const types = functions.map(({ params }) => [0x60, list(new Array(params).fill(integer)), 0]);
  const bodies = functions.map(({ integers, vectors, code }) =>
    sized([
      list([
        [unsigned(integers), integer],
        [unsigned(vectors), vector],
      ]),
      code,
      0x0b,
    ]),
  );
  const module = [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, list(types)),
    section(2, list([[text("env"), text("memory"), 0x02, 0, 1]])),
    section(3, list(functions.map((_, i) => unsigned(i)))),
    section(7, list(functions.map(({ name }, i) => [text(name), 0x00, unsigned(i)]))),
    section(10, list(bodies)),
  ];
  return Uint8Array.from(/** @type {number[]} */ (module.flat(Number.POSITIVE_INFINITY)));
}
