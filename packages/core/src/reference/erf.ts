const twoOverRootPi = 2 / Math.sqrt(Math.PI);

/** Gauss error function, to a few units of the last place. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (size > 6) return Math.sign(x);
  return size < 3 ? series(x) : Math.sign(x) * (1 - tail(size));
}

/** `2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!`: all terms have one sign, so nothing cancels. */
function series(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return twoOverRootPi * Math.exp(-x * x) * sum;
}

/** erfc by its continued fraction, from the inside out; at x >= 3 it is so small that 80 levels are far more than enough. */
function tail(x: number): number {
  let denominator = x;
  for (let n = 80; n >= 1; n--) denominator = x + n / 2 / denominator;
  return Math.exp(-x * x) / (denominator * Math.sqrt(Math.PI));
}
