import * as layers from "@ocelli/layers";
import { describe, expect, it } from "vitest";
import { buildModel } from "./build.js";
import { chainOf, layerKinds, tryChain } from "./layers.js";
import type { LayerSpec, LayersSpec } from "./spec.js";

const chainSpec = (...given: readonly LayerSpec[]): LayersSpec => ({
  kind: "layers",
  name: "mine",
  input: [3, 32, 32],
  numClasses: 10,
  layers: given,
});

const stateOf = (model: Pick<layers.Module, "parameters">): readonly string[] =>
  [...model.parameters()].map(([name, { shape }]) => `${name} ${shape.join("x")}`);

describe("layers of a chain", () => {
  it.each(layerKinds.map(({ of }) => of))("%s: its TypeScript makes the same layer", (of) => {
    const [link] = chainOf(chainSpec({ of, options: {} }));
    const { imports, text, value } = (link as NonNullable<typeof link>).layer;
    const known: Readonly<Record<string, unknown>> = layers;
    const layer = new Function(...imports, `return ${text}`)(...imports.map((name) => known[name])) as layers.Module;
    expect(stateOf(layer)).toEqual(stateOf(value));
  });

  it("follow each other by shape", () => {
    const chain = chainOf(
      chainSpec(
        { of: "conv", options: { channels: 8, stride: 2 } },
        { of: "residual", options: { channels: 16, stride: 2 } },
        { of: "bottleneck", options: { planes: 4 } },
        { of: "inception", options: {} },
        { of: "batch-norm", options: {} },
        { of: "global-pool", options: {} },
        { of: "linear", options: { features: 5 } },
        { of: "batch-norm", options: {} },
      ),
    );
    expect(chain.map(({ after }) => after.join("x"))).toEqual([
      "8x16x16",
      "16x8x8",
      "16x8x8",
      "48x8x8",
      "48x8x8",
      "48",
      "5",
      "5",
    ]);
  });

  it("are followed by what makes the logits", () => {
    const { model, head } = buildModel(chainSpec({ of: "max-pool", options: {} }));
    expect(stateOf(model)).toEqual(["2.weight 10x768", "2.bias 10"]);
    expect(head).toBe("2");
  });

  it.each([
    [
      [
        { of: "flatten", options: {} },
        { of: "conv", options: {} },
      ],
      1,
      /works on maps of \[C, H, W\], and 3072 comes in/,
    ],
    [[{ of: "conv", options: { channels: 0 } }], 0, /channels is 0; it needs a whole number from 1 to 1024/],
    [[{ of: "convv", options: {} }], 0, /there is no layer "convv"; did you mean conv/],
    [
      // 32, 22 and 12 pixels, then 2.
      Array.from({ length: 4 }, () => ({ of: "conv", options: { kernelSize: 11, padding: 0 } })),
      3,
      /conv2d.* 2/s,
    ],
  ] as const)("say where it breaks: %j", (given, at, message) => {
    const spec = chainSpec(...given);
    const { chain, failed } = tryChain(spec);
    expect([chain.length, failed?.layer]).toEqual([at, at]);
    expect(failed?.cause.message).toMatch(message);
    expect(() => chainOf(spec)).toThrow(new RegExp(`^layer ${at + 1} \\(`));
  });
});
