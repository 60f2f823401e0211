import { add, concat, mul, relu, type Tensor } from "@ocelli/core";
import {
  BatchNorm2d,
  type Context,
  Conv2d,
  Dropout,
  GlobalAvgPool,
  Linear,
  MaxPool2d,
  Module,
  Sequential,
} from "@ocelli/layers";
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { arrange } from "./arrange.js";
import { graphHtml, graphSvg, type ModelGraph, modelGraph } from "./index.js";
import { sceneOf } from "./layout.js";
import { place } from "./place.js";

class Block extends Module {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;
  constructor(inChannels: number, outChannels: number) {
    super();
    this.conv = new Conv2d(inChannels, outChannels, { kernelSize: 3, padding: 1, bias: false });
    this.bn = new BatchNorm2d(outChannels);
  }
  override forward(x: Tensor, ctx: Context): Tensor {
    const y = ctx.chain(x, this.conv, this.bn);
    return relu(y.shape[1] === x.shape[1] ? add(y, x) : y);
  }
}

class Branches extends Module {
  readonly left = new Conv2d(4, 2, { kernelSize: 1 });
  readonly right = new Sequential(
    new MaxPool2d({ kernelSize: 3, stride: 1, padding: 1 }),
    new Conv2d(4, 3, { kernelSize: 1 }),
  );
  override forward(x: Tensor, ctx: Context): Tensor {
    return concat([ctx.call(this.left, x), ctx.call(this.right, x)], 1);
  }
}

class Net extends Module {
  readonly blocks = new Sequential(new Block(3, 4), new Block(4, 4), new Block(4, 4), new Block(4, 4));
  readonly branches = new Branches();
  readonly pool = new GlobalAvgPool();
  readonly drop = new Dropout(0.5);
  readonly fc = new Linear(5, 7);
  override forward(x: Tensor, ctx: Context): Tensor {
    return ctx.chain(x, this.blocks, this.branches, this.pool, this.drop, this.fc);
  }
}

/** Boxes and arrows as words: `conv -> bn 4x8x8`. */
function words({ boxes, edges }: ModelGraph): { boxes: string[]; edges: string[] } {
  const name = new Map(
    boxes.map(({ id, path, type, kind }) => [
      id,
      kind === "join" || kind === "function" ? `${path}(${type})` : path || type,
    ]),
  );
  return {
    boxes: boxes.map(
      (box) => `${name.get(box.parent ?? "") ?? ""} | ${name.get(box.id)}${box.repeat > 1 ? ` x ${box.repeat}` : ""}`,
    ),
    edges: edges.map(({ from, to, shape }) => `${name.get(from)} -> ${name.get(to)} ${shape.join("x")}`).sort(),
  };
}

/** @throws where the text is not well-formed XML */
function parse(xml: string): { readonly elements: string[]; readonly ids: string[]; readonly text: string } {
  const found = { elements: [] as string[], ids: [] as string[], text: "" };
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    found.elements.push(name);
    if (attributes.id !== undefined) found.ids.push(attributes.id.value);
  });
  parser.on("text", (text) => {
    found.text += text;
  });
  parser.write(xml).close();
  return found;
}

const svgOf = (html: string): string => (/<main>([\s\S]*)<\/main>/.exec(html) as RegExpExecArray)[1] as string;

describe("modelGraph", () => {
  const graph = modelGraph(new Net(), [3, 8, 8]);

  it("has a box a call, blocks around them, functions between, and repeats once", () => {
    expect(words(graph).boxes).toEqual([
      " | input",
      " | blocks",
      "blocks | blocks.0",
      "blocks.0 | blocks.0(relu)",
      "blocks.0 | blocks.0.conv",
      "blocks.0 | blocks.0.bn",
      "blocks | blocks.1 x 3",
      "blocks.1 | blocks.1(add, relu)",
      "blocks.1 | blocks.1.conv",
      "blocks.1 | blocks.1.bn",
      " | branches",
      "branches | branches(concat)",
      "branches | branches.left",
      "branches | branches.right",
      "branches.right | branches.right.0",
      "branches.right | branches.right.1",
      " | pool",
      " | fc",
      " | logits",
    ]);
  });

  it("has an arrow a tensor, with its shape", () => {
    expect(words(graph).edges).toEqual(
      [
        "input -> blocks.0.conv 3x8x8",
        "blocks.0.conv -> blocks.0.bn 4x8x8",
        "blocks.0.bn -> blocks.0(relu) 4x8x8",
        "blocks.0(relu) -> blocks.1.conv 4x8x8",
        "blocks.0(relu) -> blocks.1(add, relu) 4x8x8",
        "blocks.1.conv -> blocks.1.bn 4x8x8",
        "blocks.1.bn -> blocks.1(add, relu) 4x8x8",
        // Out of the last of the three.
        "blocks.1(add, relu) -> branches.left 4x8x8",
        "blocks.1(add, relu) -> branches.right.0 4x8x8",
        "branches.right.0 -> branches.right.1 4x8x8",
        "branches.left -> branches(concat) 2x8x8",
        "branches.right.1 -> branches(concat) 3x8x8",
        "branches(concat) -> pool 5x8x8",
        "pool -> fc 5",
        "fc -> logits 7",
      ].sort(),
    );
  });

  it("counts parameters and multiply-adds of each box", () => {
    const box = (path: string) => graph.boxes.find((one) => one.path === path && one.kind !== "join");
    expect(box("blocks.0.conv")).toMatchObject({
      kind: "convolution",
      parameters: 3 * 4 * 9,
      macs: 3 * 4 * 9 * 64,
      detail: "3x3",
    });
    expect(box("blocks.1")).toMatchObject({
      kind: "group",
      repeat: 3,
      lastPath: "blocks.3",
      parameters: 4 * 4 * 9 + 8,
    });
    expect(box("branches.right.0")).toMatchObject({ kind: "pooling", detail: "3x3", outputShape: [4, 8, 8] });
    expect(box("fc")).toMatchObject({ kind: "linear", parameters: 42, macs: 35 });
    expect(box("blocks.0.bn")).toMatchObject({ kind: "normalisation" });
  });

  it("shows all repeats, and training, when asked", () => {
    const full = modelGraph(new Net(), [3, 8, 8], { foldRepeats: false });
    expect(full.boxes.filter(({ type }) => type === "Block").map(({ path }) => path)).toEqual([
      "blocks.0",
      "blocks.1",
      "blocks.2",
      "blocks.3",
    ]);
    expect(full.edges.length).toBeGreaterThan(graph.edges.length);
    expect(modelGraph(new Net(), [3, 8, 8], { training: true }).boxes.map(({ path }) => path)).toContain("drop");
  });

  it("does not fold what differs in shape, or what is fed by something else as well", () => {
    const widths = new Sequential(new Block(3, 4), new Block(4, 5), new Block(5, 6));
    expect(modelGraph(widths, [3, 8, 8]).boxes.every(({ repeat }) => repeat === 1)).toBe(true);
    class Around extends Module {
      readonly blocks = [new Block(4, 4), new Block(4, 4), new Block(4, 4)];
      override forward(x: Tensor, ctx: Context): Tensor {
        const [a, b, c] = this.blocks as [Block, Block, Block];
        const first = ctx.call(a, x);
        return add(ctx.call(c, ctx.call(b, first)), first);
      }
    }
    const folded = modelGraph(new Around(), [4, 8, 8]).boxes.filter(({ type }) => type === "Block");
    expect(folded.map(({ path, repeat }) => [path, repeat])).toEqual([
      ["blocks.0", 1],
      ["blocks.1", 2],
    ]);
  });

  it("tells the calls of a shared module apart", () => {
    class Twice extends Module {
      readonly block = new Block(4, 4);
      readonly conv = new Conv2d(4, 4, { kernelSize: 1 });
      override forward(x: Tensor, ctx: Context): Tensor {
        const y = ctx.chain(x, this.conv, this.block);
        return mul(ctx.chain(y, this.conv, this.block), y);
      }
    }
    const { boxes, edges } = modelGraph(new Twice(), [4, 8, 8], { foldRepeats: false });
    const convs = boxes.filter(({ path }) => path === "conv");
    expect(convs).toHaveLength(2);
    expect(boxes.filter(({ path, kind }) => path === "block" && kind === "group")).toHaveLength(2);
    expect(
      edges.filter(({ to }) => to === convs[1]?.id).map(({ from }) => boxes.find(({ id }) => id === from)?.type),
    ).toEqual(["add, relu"]);
  });

  it("names outputs", () => {
    class Two extends Module<Tensor, { logits: Tensor; aux: Tensor }> {
      readonly a = new Linear(3, 2);
      readonly b = new Linear(3, 5);
      override forward(x: Tensor, ctx: Context): { logits: Tensor; aux: Tensor } {
        return { logits: ctx.call(this.a, x), aux: ctx.call(this.b, x) };
      }
    }
    const outputs = modelGraph(new Two(), [1, 1, 3]).boxes.filter(({ kind }) => kind === "output");
    expect(outputs.map(({ type, outputShape }) => [type, outputShape?.at(-1)])).toEqual([
      ["logits", 2],
      ["aux", 5],
    ]);
  });

  it("folds hundreds of blocks quickly", () => {
    const deep = new Sequential(...Array.from({ length: 600 }, () => new Block(4, 4)));
    const { boxes } = modelGraph(deep, [4, 8, 8]);
    expect(boxes.map(({ repeat }) => repeat)).toContain(600);
    expect(boxes.length).toBeLessThan(10);
  });

  it("names an input that does not fit", () => {
    expect(() => modelGraph(new Net(), [8, 8])).toThrow(/modelGraph: the input has 2 dimensions; it needs \[C, H, W\]/);
    expect(() => modelGraph(new Net(), [1, 8, 8])).toThrow(/blocks\.0\.conv/);
  });
});

describe("a picture of a graph", () => {
  const graph = modelGraph(new Net(), [3, 8, 8], { name: "net" });
  const scene = sceneOf(graph);
  const blocks = scene.boxes.flatMap(({ plan }, i) => (plan === null ? [] : [i]));

  it("is well-formed, has its words, and comes out the same each time", () => {
    const svg = graphSvg(graph, { title: "a <net> & more" });
    const { elements, ids, text } = parse(svg);
    expect(svg).toBe(graphSvg(graph, { title: "a <net> & more" }));
    expect(elements.slice(0, 3)).toEqual(["svg", "title", "desc"]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const word of ["a <net> & more", "Conv2d 3×3", "Block × 3", "4×8×8", "3×8×8", "concat"])
      expect(text).toContain(word);
  });

  it("has buttons only where a script answers", () => {
    const dead = /class="sign"|role="button"|tabindex|data-box/;
    expect(graphSvg(graph, { depth: 1 })).not.toMatch(dead);
    for (const sign of ["+", "−"]) expect(svgOf(graphHtml(graph, { depth: 1 }))).toContain(`>${sign}</text>`);
  });

  it("cannot be broken by names", () => {
    const evil = class extends Module {
      readonly inner = new Sequential({ '"><script>alert(1)</script>\u0001': new Conv2d(3, 2, { kernelSize: 1 }) });
      override forward(x: Tensor, ctx: Context): Tensor {
        return ctx.call(this.inner, x);
      }
    };
    Object.defineProperty(evil, "name", { value: "</title></script><b>&\u0002" });
    const bad = modelGraph(new evil(), [3, 4, 4]);
    expect(parse(graphSvg(bad)).elements).not.toContain("script");
    const html = graphHtml(bad);
    expect(parse(svgOf(html)).elements).not.toContain("b");
    expect(html.match(/<\/?script>/g)).toEqual(["<script>", "</script>"]);
  });

  it.each([[[]], [blocks], [blocks.slice(0, 2)]])("covers nothing with blocks %j open", (open) => {
    const { boxes, width, height } = arrange(scene, open, place);
    const inside = (box: number): Set<number> => {
      const ids = new Set<string | null>([graph.boxes[box]?.id as string]);
      for (const { id, parent } of graph.boxes) if (ids.has(parent)) ids.add(id);
      return new Set(graph.boxes.flatMap(({ id }, i) => (ids.has(id) && i !== box ? [i] : [])));
    };
    for (const a of boxes) {
      expect(Math.min(a.x, a.y)).toBeGreaterThanOrEqual(0);
      expect(a.x + a.w).toBeLessThanOrEqual(width);
      expect(a.y + a.h).toBeLessThanOrEqual(height);
      const within = inside(a.box);
      for (const b of boxes) {
        if (b.box === a.box || inside(b.box).has(a.box)) continue;
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        const contained = b.x >= a.x && b.x + b.w <= a.x + a.w && b.y >= a.y && b.y + b.h <= a.y + a.h;
        expect(
          within.has(b.box) ? contained : apart,
          `${graph.boxes[a.box]?.path} and ${graph.boxes[b.box]?.path}`,
        ).toBe(true);
      }
    }
  });

  it("opens blocks to a depth", () => {
    const boxes = (depth: number): number => (graphSvg(graph, { depth }).match(/class="box /g) ?? []).length;
    // input, blocks, branches, pool, fc, logits
    expect(boxes(0)).toBe(6);
    expect(boxes(1)).toBeGreaterThan(boxes(0));
    expect(graphSvg(graph, { depth: 9 })).toBe(graphSvg(graph));
    expect(() => graphSvg(graph, { depth: -1 })).toThrow(/depth is -1; it needs 0, 1, 2/);
  });

  it("has a page that carries its own script", () => {
    const html = graphHtml(graph, { depth: 0 });
    expect(html).not.toMatch(/(src|href)=|https?:\/\/(?!www\.w3\.org)/);
    // What the page's script draws is what stands in it.
    const script = (/<script>([\s\S]*)<\/script>/.exec(html) as RegExpExecArray)[1] as string;
    const definitions = script.slice(
      0,
      script.lastIndexOf("\n(function") < 0 ? script.lastIndexOf("\n(") : script.lastIndexOf("\n(function"),
    );
    const redraw = new Function("scene", `${definitions}; return draw(scene, arrange(scene, [], place), true);`) as (
      s: typeof scene,
    ) => string;
    expect(svgOf(html)).toContain(redraw(JSON.parse(JSON.stringify(scene)) as typeof scene));
  });
});

describe("a dense block", () => {
  class Dense extends Module {
    readonly layers = Array.from({ length: 8 }, (_, i) => new Conv2d(4 + 2 * i, 2, { kernelSize: 1 }));
    override forward(x: Tensor, ctx: Context): Tensor {
      return this.layers.reduce((all, layer) => concat([all, ctx.call(layer, all)], 1), x);
    }
  }
  class Lists extends Module {
    readonly layers = Array.from({ length: 8 }, (_, i) => new Conv2d(4 + 2 * i, 2, { kernelSize: 1 }));
    override forward(x: Tensor, ctx: Context): Tensor {
      let features = [x];
      for (const layer of this.layers) features = [...features, ctx.call(layer, concat(features, 1))];
      return concat(features, 1);
    }
  }

  it("has an arrow from each layer to all that follow, the long ones beside the boxes", () => {
    const graph = modelGraph(new Lists(), [4, 8, 8]);
    // The first, of the input alone, is none.
    const joins = graph.boxes.filter(({ kind }) => kind === "join");
    expect(joins).toHaveLength(8);
    const [plan] = sceneOf(graph).plans;
    const right = Math.max(...(plan?.nodes ?? []).map(({ x, w }) => x + w / 2));
    const beside = plan?.edges.filter(({ bends }) => bends.some(([x]) => x > right)) ?? [];
    // All arrows into a concatenation, but that from the layer just before it: 2 + ... + 9, less 8.
    expect(beside).toHaveLength(36);
    expect(parse(graphSvg(graph)).elements).toContain("path");
  });

  it("costs no more when each layer widens one tensor", () => {
    const [plan] = sceneOf(modelGraph(new Dense(), [4, 8, 8])).plans;
    expect(plan?.edges).toHaveLength(8 * 3 + 1);
  });
});
