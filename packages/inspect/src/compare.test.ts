import { Conv2d, Flatten, GlobalAvgPool, Linear, ReLU, Sequential } from "@ocelli/layers";
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { chooseError, isSingleView } from "./compare.js";
import { type ComparedModel, compare, comparisonCsv, type ErrorFigure, formatComparison } from "./index.js";
import { comparisonHtml, comparisonSvg } from "./plot/index.js";
import { placeLabels } from "./plot/labels.js";

const figure = (top1: number | undefined, protocol: string, dataset = "imagenet"): ErrorFigure => ({
  dataset,
  ...(top1 === undefined ? {} : { top1 }),
  top5: 7.5,
  protocol,
  source: "Author <2015>, table 2",
});

const small: ComparedModel = {
  name: "small",
  citation: 'A "quoted" paper',
  input: [3, 8, 8],
  build: () =>
    new Sequential(new Conv2d(3, 4, { kernelSize: 3, padding: 1 }), new ReLU(), new GlobalAvgPool(), new Linear(4, 10)),
  published: [figure(30.1, "validation, single crop 224"), figure(28, "validation, 10 crops of 224")],
};
const wide: ComparedModel = {
  name: "a <wide> & long name",
  input: [1, 4, 4],
  build: () => new Sequential(new Flatten(), new Linear(16, 100)),
  published: [figure(20, "validation, dense evaluation at 256")],
};
const bare: ComparedModel = { name: "bare", input: [1, 4, 4], build: wide.build };

const wellFormed = (xml: string): number => {
  let elements = 0;
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", () => elements++);
  parser.write(xml).close();
  return elements;
};

describe("compare", () => {
  const comparison = compare([small, wide, bare]);

  it("has each model's costs, by hand", () => {
    const [first, second] = comparison.models;
    expect(first).toMatchObject({ name: "small", parameters: 3 * 4 * 9 + 4 + 50, macs: 3 * 4 * 9 * 64 + 40 });
    expect(first?.flops).toBeGreaterThanOrEqual(2 * (first?.macs ?? 0));
    // Input, convolution, pooled, logits; ReLU writes over its input.
    expect(first?.activationBytes).toBe(4 * (192 + 256 + 4 + 10));
    expect(first?.memoryBytes).toBeGreaterThanOrEqual(4 * (first?.parameters ?? 0));
    expect(first?.layers.map(({ path, parameters }) => [path, parameters])).toEqual([
      ["0", 112],
      ["1", 0],
      ["2", 0],
      ["3", 50],
    ]);
    expect(second).toMatchObject({ parameters: 1700, macs: 1600 });
  });

  it("takes the error that compares, and marks others", () => {
    expect(comparison.models.map(({ error }) => error && [error.top1, error.singleView])).toEqual([
      [30.1, true],
      [20, false],
      undefined,
    ]);
    const table = formatComparison(comparison);
    expect(table).toMatch(/^small .* 30\.10 +7\.50$/m);
    expect(table).toMatch(/^a <wide> .* 20\.00 +7\.50\*$/m);
    expect(table).toMatch(/^bare .* - +-$/m);
    expect(table).toContain("* mean of many views");
    expect(formatComparison(compare([small]))).not.toContain("many views");
  });

  it("takes papers before weights, a paper's best, the first weights, and the data set's own", () => {
    const weights = [21, 19].map((top1) => ({ published: figure(top1, "validation, single crop 224") }));
    expect(chooseError({ weights }, "imagenet")?.top1).toBe(21);
    const published = [figure(25, "validation, single crop 224"), figure(24, "validation, single crop 320")];
    expect(chooseError({ published, weights }, "imagenet")?.top1).toBe(24);
    expect(chooseError({ published: [figure(18, "10 crops")], weights }, "imagenet")?.top1).toBe(21);
    expect(chooseError({ published: [figure(undefined, "1 crop"), figure(18, "10 crops")] }, "imagenet")?.top1).toBe(
      18,
    );
    expect(chooseError({ published: [figure(undefined, "1 crop")] }, "imagenet")?.top5).toBe(7.5);
    expect(chooseError({ published, weights }, "cifar10")).toBeUndefined();
    expect(chooseError({ published: [figure(6, "test", "cifar10")] }, "cifar10")?.top1).toBe(6);
  });

  it.each([
    ["validation, single crop 224", true],
    ["validation, 1 model, 1 crop", true],
    ["test, mean of 5 runs", true],
    ["validation, 10 crops of 224", false],
    ["validation (ILSVRC-2012), mean of ten crops", false],
    ["validation, 1 model, 144 crops", false],
    ["validation, dense evaluation at 384, trained at 256..512", false],
    ["test, augmented by crops and mirroring", true],
  ])("%s: each image seen once is %s", (protocol, expected) => {
    expect(isSingleView(protocol)).toBe(expected);
  });

  it("writes comma-separated values", () => {
    const [head, ...rows] = comparisonCsv(comparison).trimEnd().split("\n");
    expect(head).toMatch(
      /^model,input,parameters,multiply_adds,flops,activation_bytes,memory_bytes,dataset,top1_error/,
    );
    expect(rows[0]).toMatch(
      /^small,3x8x8,162,6952,.*,imagenet,30\.1,7\.5,true,"validation, single crop 224","Author <2015>, table 2"$/,
    );
    expect(rows[2]).toMatch(/^bare,1x4x4,1700,1600,.*,,,,,,$/);
  });
});

describe("charts", () => {
  const comparison = compare([small, wide, bare]);

  it("are well-formed SVG, with each model's words, the same each time", () => {
    const svg = comparisonSvg(comparison);
    expect(svg).toBe(comparisonSvg(comparison));
    expect(wellFormed(svg)).toBeGreaterThan(50);
    expect(svg).toContain("top-1 error 30.1 %");
    expect(svg).toContain("Author &lt;2015&gt;, table 2");
    expect(svg).toContain("Dashed: no such figure");
    expect(svg).toContain("Without a published top-1 error on ImageNet: bare.");
    expect(svg).toContain("prefers-color-scheme:dark");
    expect(svg).not.toMatch(/ecmeta|<script|href=/);
    // One kind of unit for tables and charts.
    expect(svg + comparisonHtml(comparison) + formatComparison(comparison)).not.toMatch(/[KMG]iB|\dK|\d KB/);
  });

  it("have bubbles whose area is the number of parameters", () => {
    const radius = (name: string): number =>
      Number(new RegExp(`matrix\\(([\\d.]+),[^)]*\\)"[^>]*><title>${name} `).exec(comparisonSvg(comparison))?.[1]);
    const [a, b] = [radius("small"), radius("a &lt;wide&gt; &amp; long name")];
    // 3 pixels belong to the smallest that can be seen.
    expect(((a - 3) / (b - 3)) ** 2).toBeCloseTo(162 / 1700, 2);
  });

  it("leave out what there is no room for, and say when nothing is left", () => {
    const many = Array.from({ length: 13 }, (_, i) => ({ ...bare, name: `m${i}` }));
    expect(() => comparisonSvg(compare(many))).toThrow(
      /none of these 13 models has a published top-1 error on ImageNet/,
    );
    expect(() => comparisonSvg(compare([]))).toThrow(/none of these 0 models/);
    expect(comparisonSvg(compare([bare]))).toContain("Parameters by layer");
    expect(comparisonSvg(compare([...many, small]))).not.toContain("Parameters by layer");
  });

  it("stand in a page of its own, with a table", () => {
    const html = comparisonHtml(comparison);
    expect(html).not.toMatch(/(src|href)=/);
    expect(html.match(/<\/?script/g)).toHaveLength(2);
    expect(html.match(/<tr>/g)).toHaveLength(4);
    expect(html).toContain("a &lt;wide&gt; &amp; long name");
    for (const [svg] of html.matchAll(/<svg[\s\S]*?<\/svg>/g)) wellFormed(svg);
  });

  it("give labels room", () => {
    const frame = { left: 0, right: 400, top: 0, bottom: 300 };
    const disc = (label: string, x: number, y: number, r = 5) => ({ label, x, y, r });
    expect(placeLabels([disc("one", 100, 100)], frame)).toEqual(["right"]);
    expect(placeLabels([disc("one", 398, 100)], frame)).toEqual(["left"]);
    expect(placeLabels([disc("in", 100, 100, 40)], frame)).toEqual(["inside"]);
    const crowd = Array.from({ length: 9 }, (_, i) => disc(`name ${i}`, 200 + i, 150 + i));
    const sides = placeLabels(crowd, frame);
    expect(sides.filter((side) => side !== null).length).toBeGreaterThanOrEqual(3);
    expect(sides).toContain(null);
  });
});
