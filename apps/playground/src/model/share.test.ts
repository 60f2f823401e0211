import { OcelliError } from "@ocelli/core";
import { cosineSchedule, crossEntropyLoss, type Named, sgd, warmupSchedule } from "@ocelli/training";
import { expect, test } from "vitest";
import { type Configuration, decodeConfiguration, encodeConfiguration } from "./share.js";

const named = ({ name, options }: Named): Named => ({ name, options });

const configurations: readonly Configuration[] = [
  { model: { kind: "zoo", name: "lenet5_modern" } },
  {
    model: { kind: "family", family: "resnet-cifar", values: { depth: 32 }, inputSize: 28, inChannels: 1 },
    training: {
      data: { kind: "digits", count: 5000 },
      optimizer: named(sgd({ lr: 0.1, momentum: 0.9 })),
      schedule: named(warmupSchedule({ schedule: cosineSchedule(), epochs: 2 })),
      augment: "cifar",
      loss: named(crossEntropyLoss({ labelSmoothing: 0.1 })),
      noDecay: true,
      epochs: 20,
      batchSize: 64,
      seed: 7,
    },
  },
  {
    model: {
      kind: "layers",
      name: "Größe ✓",
      input: [1, 28, 28],
      numClasses: 10,
      layers: [
        { of: "conv", options: { channels: 8, kernelSize: 5 } },
        { of: "relu", options: {} },
      ],
    },
  },
];

/** As a program with other rules would write it. */
const linkOf = (value: unknown): string => encodeConfiguration(value as Configuration);

test("a link brings back what it was made of", () => {
  for (const configuration of configurations) {
    const text = encodeConfiguration(configuration);
    expect(text).toMatch(/^[\w.-]+$/);
    expect(decodeConfiguration(text)).toEqual(configuration);
  }
});

const [zoo, family, layers] = configurations as [Configuration, Configuration, Configuration];

test.each([
  ["", /damaged/],
  ["1", /damaged/],
  ["1.%%%", /damaged/],
  ["1.AAAA", /damaged/],
  ["2.e30", /version 2/],
  [`1.${"e".repeat(40_000)}`, /40002 characters/],
  [linkOf(null), /the link is null; it needs an object/],
  [linkOf({}), /lacks model/],
  [linkOf({ ...zoo, colour: "red" }), /there is no field "colour"/],
  [linkOf({ model: { kind: "zoo", name: "resnet19" } }), /Did you mean/],
  [linkOf({ model: { kind: "zoo", name: "constructor" } }), /unknown/],
  [linkOf({ model: { ...zoo.model, numClasses: 1e12 } }), /numClasses is 1000000000000; it needs a whole number/],
  [linkOf({ model: { ...family.model, values: { depth: 21 } } }), /depth is 21; it needs/],
  [linkOf({ model: { ...family.model, values: { width: 2 } } }), /there is no field "width"/],
  [
    linkOf({ model: { ...layers.model, layers: [{ of: "conv", options: { channels: 1e9 } }] } }),
    /channels is 1000000000/,
  ],
  [linkOf({ model: { ...layers.model, layers: Array(300).fill({ of: "relu", options: {} }) } }), /at most 200 layers/],
  [
    linkOf({ ...family, training: { ...family.training, optimizer: { name: "sgdd", options: {} } } }),
    /did you mean sgd/,
  ],
  [linkOf({ ...family, training: { ...family.training, epochs: -1 } }), /training.epochs is -1/],
  [linkOf({ ...family, training: { ...family.training, augment: "cifarr" } }), /one of cifar/],
])("link %# is refused, and why", (text, reason) => {
  expect(() => decodeConfiguration(text)).toThrow(reason);
});

test("of 1000 damaged links, each is refused in words or is a whole configuration, at once", () => {
  const random = generator(20261122);
  const texts = configurations.map(encodeConfiguration);
  const values = configurations.map((configuration) => JSON.stringify(configuration));
  let refused = 0;
  for (let i = 0; i < 1000; i++) {
    const damage =
      i % 2 === 0 ? damagedText(pick(texts, random), random) : linkOf(damagedValue(pick(values, random), random));
    const began = performance.now();
    try {
      const decoded = decodeConfiguration(damage);
      // What is taken is taken whole: it can be shared again, and comes back the same.
      expect(decodeConfiguration(encodeConfiguration(decoded))).toEqual(decoded);
    } catch (error) {
      expect(error, damage).toBeInstanceOf(OcelliError);
      refused++;
    }
    expect(performance.now() - began, damage).toBeLessThan(2000);
  }
  expect(refused).toBeGreaterThan(600);
});

/** Characters changed, left out, doubled or cut off. */
function damagedText(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length);
  const character = String.fromCharCode(32 + Math.floor(random() * 400));
  return pick(
    [
      text.slice(0, at) + character + text.slice(at + 1),
      text.slice(0, at),
      text.slice(0, at) + text.slice(at + 1),
      text.slice(0, at) + text.slice(at - 5),
      text.slice(at),
    ],
    random,
  );
}

const absurd: readonly unknown[] = [
  null,
  -1,
  0.5,
  1e308,
  "",
  "__proto__",
  [],
  {},
  [[[]]],
  true,
  "x".repeat(500),
  { name: "sgd" },
  { length: 3 },
  Array(1000).fill(0),
];

/** One number, text, field or list of a configuration becomes something else, a field is added, or one is taken away. */
function damagedValue(json: string, random: () => number): unknown {
  const value = JSON.parse(json) as unknown;
  const holders: Record<string, unknown>[] = [];
  const collect = (holder: unknown): void => {
    if (typeof holder !== "object" || holder === null) return;
    holders.push(holder as Record<string, unknown>);
    Object.values(holder).forEach(collect);
  };
  collect(value);
  const holder = pick(holders, random);
  const key = pick(["added", "__proto__", ...Object.keys(holder), ...Object.keys(holder)], random);
  if (random() < 0.2) delete holder[key];
  else
    Object.defineProperty(holder, key, {
      value: pick(absurd, random),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  return value;
}

const pick = <T>(all: readonly T[], random: () => number): T => all[Math.floor(random() * all.length)] as T;

/** Numbers in 0..1, the same at every run (Marsaglia's xorshift). */
function generator(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}
