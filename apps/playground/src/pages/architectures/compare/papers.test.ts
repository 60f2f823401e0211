import type { Compared } from "@ocelli/inspect";
import { bubbles, familyColours } from "@ocelli/inspect/plot";
import { modelEntry, modelNames } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { displayName } from "../../../model/display-name.js";
import { foreground, papersOf } from "./papers.js";

const model = (name: string, citation: string, top1: number, macs: number): Compared => ({
  ...{ name, citation, macs, summary: "", input: [3, 224, 224], parameters: macs / 100, flops: 2 * macs, layers: [] },
  ...{ activationBytes: 1, memoryBytes: 1 },
  error: { dataset: "imagenet", top1, protocol: "single crop", source: "paper", singleView: true },
});

const models = [
  model("VGG-11", "Simonyan: Very Deep, ICLR 2015", 30, 8e9),
  model("VGG-19", "Simonyan: Very Deep, ICLR 2015", 25, 2e10),
  model("SqueezeNet 1.1", "Iandola: arXiv:1602.07360, 2016", 42, 4e8),
];
const papers = papersOf(models);
const look = { width: 1000, ground: "", ink: "", quiet: "", line: "", titled: false, family: familyColours(false) };

type Data = readonly {
  readonly name: string;
  readonly symbolSize: number;
  readonly itemStyle: { readonly opacity: number };
  readonly label: { readonly show: boolean };
}[];
const dataOf = ({ option }: ReturnType<typeof foreground>): Data =>
  (option.series as readonly [{ readonly data: Data }])[0].data;
const named = (drawing: ReturnType<typeof foreground>): string[] =>
  dataOf(drawing)
    .filter(({ label }) => label.show)
    .map(({ name }) => name)
    .sort();

describe("papers of a comparison", () => {
  it("are called after their networks, with the year", () => {
    expect(papers.map(({ title }) => title)).toEqual(["VGG 2015", "SqueezeNet 2016"]);
    expect(papersOf([model("Plain-18", "He 2016", 28, 1e9), model("ResNet-18", "He 2016", 28, 1e9)])[0]?.title).toBe(
      "Plain, ResNet 2016",
    );
  });

  it("have different titles in the zoo", () => {
    const all = papersOf(modelNames.map((name) => ({ name: displayName(name), citation: modelEntry(name).citation })));
    expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
  });
});

describe("the chart", () => {
  it("names all networks where there is room, and on a phone each paper's best", () => {
    const wide = bubbles({ dataset: "imagenet", models }, look);
    expect(named(foreground(wide, { papers, front: undefined }))).toEqual(["SqueezeNet 1.1", "VGG-11", "VGG-19"]);
    const narrow = bubbles({ dataset: "imagenet", models }, { ...look, width: 320 });
    const drawn = foreground(narrow, { papers, front: undefined });
    expect(named(drawn)).toEqual(["SqueezeNet 1.1", "VGG-19"]);
    expect(drawn.height).toBeGreaterThan(narrow.height);
  });

  it("shows one paper before the others", () => {
    const drawing = bubbles({ dataset: "imagenet", models }, look);
    const drawn = foreground(drawing, { papers, front: papers[0] });
    expect(named(drawn)).toEqual(["VGG-11", "VGG-19"]);
    const opacity = (name: string) => dataOf(drawn).find((one) => one.name === name)?.itemStyle.opacity as number;
    expect(opacity("SqueezeNet 1.1")).toBeLessThan(opacity("VGG-11") / 2);
  });
});
