/**
 * Functions that WGSL lacks, or whose builtins are too loose: the specification lets `sin` be off by 2^-11, `exp` by 3 + 2|x| units of
 * the last place and `log` by 2^-21 near 1, and says nothing about `tanh(100)`. These hold float32's accuracy for every finite input.
 *
 * Compilers may assume that there are no NaN and no infinities, so nothing depends on either: what a step that overflows has made is dropped
 * by `select`, and tests for special values look at bits. They may regroup sums, too, so those whose order matters are written as `fma`;
 * that may round its product, so constants subtracted in several parts have so few bits that it need not.
 */

/** WGSL of one function at module scope. */
export interface MathFunction {
  readonly name: string;
  readonly code: string;
  /** Functions that it calls. */
  readonly needs?: readonly MathFunction[];
}

/** The functions and all that they call, each once. */
export function mathCode(functions: Iterable<MathFunction>): string {
  const seen = new Set<MathFunction>();
  const visit = (fn: MathFunction): void => {
    if (seen.has(fn)) return;
    for (const needed of fn.needs ?? []) visit(needed);
    seen.add(fn);
  };
  for (const fn of functions) visit(fn);
  return [...seen].map(({ code }) => `${code}\n`).join("");
}

const define = (name: string, code: string, needs: readonly MathFunction[] = []): MathFunction => ({
  name,
  code: code.trim(),
  needs,
});

/** NaN and infinities: a constant expression must not have them, the value of a function may. */
export const fromBits = define("from_bits", "fn from_bits(bits: u32) -> f32 { return bitcast<f32>(bits); }");

/** Whether x is neither infinite nor NaN, by its exponent bits. */
export const isFiniteFn = define(
  "is_finite",
  "fn is_finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }",
);

// Just below half of what is cut off, or half where the last bit that stays is odd; a carry raises the exponent, as it should.
// Subnormal halves are multiples of 2^-24.
// 2^-14, and 65520, from where on the nearest is infinity; NaN stays NaN.
/**
 * x rounded to half precision, ties to even, beyond 65504 to infinity, so that overflow is noticed. `quantizeToF16` may round either way,
 * flush subnormals and give anything for large numbers, and on SwiftShader truncates.
 */
export const toHalf = define(
  "to_half",
  `
fn to_half(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  let normal = (size + 0xfffu + ((size >> 13u) & 1u)) & 0xffffe000u;
  let small = bitcast<u32>(round(abs(x) * 16777216.0) * 5.9604644775390625e-8);
  let y = select(select(normal, small, size < 0x38800000u), max(size, 0x7f800000u), size >= 0x477ff000u);
  return bitcast<f32>(y | (bits ^ size));
}`,
);

/**
 * 2^k e^r for k in -125..128 and |r| <= ln 2 / 2, or beyond where k is at its bounds: what is too large becomes infinity. Twice Cephes'
 * polynomial of expf times 2^(k - 1), as 2^128 is no float32.
 */
const expScaled = define(
  "math_exp_scaled",
  `
fn math_exp_scaled(k: f32, r: f32) -> f32 {
  var p = fma(0.00039751383, r, 0.002796399901);
  p = fma(p, r, 0.01666690381);
  p = fma(p, r, 0.08333159179);
  p = fma(p, r, 0.3333333092);
  p = fma(p, r, 1.000000024);
  p = fma(p * r, r, r + r) + 2.0;
  return p * bitcast<f32>((i32(k) + 126) << 23u);
}`,
);

/** e^x. Overflows to infinity; what is no normal float32 is 0. */
export const expFn = define(
  "math_exp",
  `
fn math_exp(x: f32) -> f32 {
  let k = clamp(round(x * 1.44269504), -125.0, 128.0);
  return select(math_exp_scaled(k, fma(k, 2.12194440e-4, fma(k, -0.693359375, x))), 0.0, x < -87.33654);
}`,
  [expScaled],
);

// A subnormal is its bits times 2^-149. Converting them works where hardware takes subnormals for 0.
/** Exponent e and m in [sqrt(1/2), sqrt(2)), so that the positive finite float32 of these bits is m 2^e. */
const logSplit = define(
  "math_log_split",
  `
fn math_log_split(bits: u32) -> vec2f {
  let small = bits < 0x00800000u;
  let normal = select(bits, bitcast<u32>(f32(bits)), small);
  let e = bitcast<i32>(normal - 0x3f3504f3u) >> 23u;
  return vec2f(f32(e - select(0, 149, small)), bitcast<f32>(normal - (bitcast<u32>(e) << 23u)));
}`,
);

// 0, negative, infinite and NaN, by one comparison.
/** Natural logarithm, relatively accurate near 1 too; the polynomial is Cephes' logf. -infinity at 0, NaN below. */
export const logFn = define(
  "math_log",
  `
fn math_log(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if (bits - 1u >= 0x7f7fffffu) {
    return bitcast<f32>(select(select(bits, 0x7fc00000u, bits > 0x80000000u), 0xff800000u, (bits << 1u) == 0u));
  }
  let split = math_log_split(bits);
  let f = split.y - 1.0;
  let z = f * f;
  var p = fma(7.0376836292e-2, f, -1.1514610310e-1);
  p = fma(p, f, 1.1676998740e-1);
  p = fma(p, f, -1.2420140846e-1);
  p = fma(p, f, 1.4249322787e-1);
  p = fma(p, f, -1.6668057665e-1);
  p = fma(p, f, 2.0000714765e-1);
  p = fma(p, f, -2.4999993993e-1);
  p = fma(p, f, 3.3333331174e-1);
  let tail = fma(-0.5, z, fma(split.x, -2.12194440e-4, p * f * z));
  return fma(split.x, 0.693359375, f + tail);
}`,
  [logSplit],
);

/**
 * tanh: an odd polynomial (minimax, fitted for this to 4e-9) up to 0.625, where 1 - 2 / (e^2x + 1) would cancel; beyond 10, every float32
 * nearest to it is 1.
 */
export const tanhFn = define(
  "math_tanh",
  `
fn math_tanh(x: f32) -> f32 {
  let t = abs(x);
  let z = x * x;
  var p = fma(-5.704985411e-3, z, 2.063908586e-2);
  p = fma(p, z, -5.373971467e-2);
  p = fma(p, z, 1.333144219e-1);
  p = fma(p, z, -3.333328194e-1);
  let large = 1.0 - 2.0 / (math_exp(2.0 * min(t, 10.0)) + 1.0);
  return select(fma(p * z, x, x), select(large, -large, x < 0.0), t > 0.625);
}`,
  [expFn],
);

/** 1 / (1 + e^-x), as e^x / (1 + e^x) below 0: nothing overflows, and small results keep their relative accuracy. */
export const sigmoidFn = define(
  "math_sigmoid",
  `
fn math_sigmoid(x: f32) -> f32 {
  let t = math_exp(-abs(x));
  return select(1.0, t, x < 0.0) / (1.0 + t);
}`,
  [expFn],
);

/**
 * Gauss error function: an odd polynomial up to 0.93, and 1 - e^(-t h(t)) beyond, where h is a polynomial too (both minimax, fitted for this,
 * to 2e-8 and 3e-9 of the result). Beyond 4, every float32 nearest to it is 1.
 */
export const erfFn = define(
  "math_erf",
  `
fn math_erf(x: f32) -> f32 {
  let z = x * x;
  var p = fma(-5.992848248e-4, z, 4.995262016e-3);
  p = fma(p, z, -2.676979318e-2);
  p = fma(p, z, 1.128198772e-1);
  p = fma(p, z, -3.761252782e-1);
  p = fma(p, z, 1.283791671e-1);
  let t = min(abs(x), 4.0);
  var h = fma(-2.139849941e-4, t, 3.214955951e-3);
  h = fma(h, t, -2.288996523e-2);
  h = fma(h, t, 1.052618446e-1);
  h = fma(h, t, 6.357183143e-1);
  h = fma(h, t, 1.128514361);
  let large = 1.0 - math_exp(-t * h);
  return select(fma(p, x, x), select(large, -large, x < 0.0), t > 0.93);
}`,
  [expFn],
);

/** Upper word of a product. WGSL has none. */
const mulHigh = define(
  "math_mul_high",
  `
fn math_mul_high(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let low = a1 * b0 + ((a0 * b0) >> 16u);
  let mid = a0 * b1 + (low & 0xffffu);
  return a1 * b1 + (low >> 16u) + (mid >> 16u);
}`,
);

// 2/pi, two bits down.
// |x| = significand 2^(e - 32)
// Shifting by 1 first, as a shift by 32 is none.
// The product has 2 bits before its point and 62 behind, in two words.
/**
 * x = (k + f) pi/2 with |f| <= 1/2, for any |x| >= 1: (f pi/2, k mod 4). Payne and Hanek, "Radian reduction for trigonometric functions"
 * (1983): of x times the bits of 2/pi, only those around the point matter.
 */
const reduceLarge = define(
  "math_reduce_large",
  `
const math_two_over_pi = array<u32, 8>(
  0u, 0x28be60dbu, 0x9391054au, 0x7f09d5f4u, 0x7d4d3770u, 0x36d8a566u, 0x4f10e410u, 0x7f9458eau);
fn math_reduce_large(x: f32) -> vec2f {
  let bits = bitcast<u32>(x);
  let significand = ((bits & 0x7fffffu) | 0x800000u) << 8u;
  let e = ((bits >> 23u) & 0xffu) - 126u;
  let i = min(e >> 5u, 4u);
  let up = e & 31u;
  let down = 31u - up;
  let t0 = math_two_over_pi[i];
  let t1 = math_two_over_pi[i + 1u];
  let t2 = math_two_over_pi[i + 2u];
  let t3 = math_two_over_pi[i + 3u];
  let high = (t0 << up) | ((t1 >> 1u) >> down);
  let middle = (t1 << up) | ((t2 >> 1u) >> down);
  let low = (t2 << up) | ((t3 >> 1u) >> down);
  let carried = math_mul_high(significand, low);
  var p0 = significand * middle + carried;
  var p1 = significand * high + math_mul_high(significand, middle) + select(0u, 1u, p0 < carried);
  let k = (p1 + 0x20000000u) >> 30u;
  p1 = p1 - (k << 30u);
  let below = p1 >= 0x80000000u;
  if (below) {
    p0 = ~p0 + 1u;
    p1 = ~p1 + select(0u, 1u, p0 == 0u);
  }
  let f = (f32(p1) * 4294967296.0 + f32(p0)) * 3.40612158008655459e-19;
  let negative = bits >= 0x80000000u;
  return vec2f(select(f, -f, below != negative), select(f32(k), -f32(k), negative));
}`,
  [mulHigh],
);

// pi/2 in four parts; products of k below 2^13 with the first three, of at most 11 bits, are exact, fused or not.
/** Sine of x + quadrant pi/2. Polynomials on [-pi/4, pi/4] are Cephes' sinf and cosf. */
const sinTurned = define(
  "math_sin_turned",
  `
fn math_sin_turned(x: f32, quadrant: i32) -> f32 {
  let k = round(x * 0.636619772);
  let near = fma(k, -4.837512969970703125e-4, fma(k, -1.5703125, x));
  var reduced = vec2f(fma(k, -2.563344152e-12, fma(k, -7.54953362047672e-8, near)), k);
  if (abs(x) > 12000.0) {
    reduced = math_reduce_large(x);
  }
  let r = reduced.x;
  let turns = i32(reduced.y) + quadrant;
  let z = r * r;
  let s = fma(fma(fma(-1.9515295891e-4, z, 8.3321608736e-3), z, -1.6666654611e-1), z * r, r);
  let c = fma(fma(fma(2.443315711809948e-5, z, -1.388731625493765e-3), z, 4.166664568298827e-2), z * z, fma(-0.5, z, 1.0));
  let y = select(s, c, (turns & 1) == 1);
  return select(y, -y, (turns & 2) == 2);
}`,
  [reduceLarge],
);

export const sinFn = define("math_sin", "fn math_sin(x: f32) -> f32 { return math_sin_turned(x, 0); }", [sinTurned]);
export const cosFn = define("math_cos", "fn math_cos(x: f32) -> f32 { return math_sin_turned(x, 1); }", [sinTurned]);

/** 12 of the 24 bits of x: products of two such numbers are exact. */
const upperBits = define(
  "math_upper",
  "fn math_upper(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u); }",
);

// log m = 2 (s + s^3/3 + s^5/5 ...) for s = (m - 1) / (m + 1), |s| < 0.172; s = s1 + s0.
// log2 m = l1 + l0. 2 / ln 2 = 2.884765625 + 6.24456778e-4.
/**
 * a^b for the positive finite a of these bits, as 2^(b log2 a). The result's relative error is up to 100 times that of b log2 a, so the
 * logarithm and the product are computed in parts of 12 bits, as FreeBSD's `powf` does.
 */
const powPositive = define(
  "math_pow_positive",
  `
fn math_pow_positive(bits: u32, b: f32) -> f32 {
  let split = math_log_split(bits);
  let e = split.x;
  let m = split.y;
  let s = (m - 1.0) / (m + 1.0);
  let s1 = math_upper(s);
  let d1 = math_upper(m + 1.0);
  let s0 = fma(-s1, m - (d1 - 1.0), fma(-s1, d1, m - 1.0)) / (m + 1.0);
  let z = s * s;
  let series = fma(fma(fma(fma(0.0909090909, z, 0.111111111), z, 0.142857143), z, 0.2), z, 0.333333333);
  let exact = s1 * 2.884765625;
  let rest = fma(s1, 6.24456778e-4, fma(series, z * s, s0) * 2.88539008);
  let l1 = math_upper(exact + rest);
  let l0 = (exact - l1) + rest;
  let rough = b * (e + l1);
  if (rough < -126.0 || rough > 129.0) {
    return from_bits(select(0u, 0x7f800000u, rough > 0.0));
  }
  let b1 = math_upper(b);
  let b0 = b - b1;
  let k = clamp(round(rough), -125.0, 128.0);
  let f = fma(b1, l1, fma(b1, e, -k)) + fma(b0, e, fma(b0, l1, b * l0));
  return math_exp_scaled(k, f * 0.693147181);
}`,
  [fromBits, logSplit, upperBits, expScaled],
);

// From 2^24 on, every float32 is even.
/** a^b as C has it: whole exponents of negative bases are fine, 1^b and a^0 are 1. */
export const powFn = define(
  "math_pow",
  `
fn math_pow(a: f32, b: f32) -> f32 {
  if (b == 0.0 || a == 1.0) {
    return 1.0;
  }
  let bits = bitcast<u32>(a);
  let size = bits & 0x7fffffffu;
  let negative = bits != size;
  let whole = floor(b) == b;
  let odd = whole && abs(b) < 16777216.0 && (i32(b) & 1) == 1;
  if (size > 0x7f800000u || (negative && !whole && size != 0u)) {
    return from_bits(0x7fc00000u);
  }
  var y: f32;
  if (size == 0u || size == 0x7f800000u) {
    y = from_bits(select(0u, 0x7f800000u, (size == 0u) == (b < 0.0)));
  } else {
    y = math_pow_positive(size, b);
  }
  return select(y, -y, negative && odd);
}`,
  [fromBits, powPositive],
);
