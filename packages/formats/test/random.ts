/** A small generator (mulberry32): the same seed gives the same numbers, so that a failure can be repeated. */
export function randomSource(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return Math.floor((((z ^ (z >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** A copy with a few bytes changed, removed, repeated or cut off. */
export function mutate(bytes: Uint8Array, random: (below: number) => number): Uint8Array {
  let out = [...bytes];
  const changes = 1 + random(4);
  for (let i = 0; i < changes; i++) {
    const at = random(out.length + 1);
    const kind = random(6);
    if (kind === 0) out.length = Math.min(out.length, at);
    else if (kind === 1) out.splice(at, 1 + random(8));
    else if (kind === 2) out.splice(at, 0, ...out.slice(at, at + random(16)));
    else if (kind === 3) out[Math.min(at, out.length - 1)] = random(256);
    else if (kind === 4) out = out.map((byte, index) => (index === at ? byte ^ (1 << random(8)) : byte));
    else out.splice(at, 0, random(256));
  }
  return Uint8Array.from(out);
}
