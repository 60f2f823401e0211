import { modelNames } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { buildModel } from "../model/build.js";
import { families } from "../model/families.js";
import { bestEntry, entryIdOf, firstChain, pickerEntries, searchEntries } from "./entries.js";

const titles = (query: string): string[] => searchEntries(query).map(({ title }) => title);

describe("the networks to choose from", () => {
  it("are the zoo's, the families and a chain, each once and each in its paper's group", () => {
    const ids = pickerEntries.map(({ id }) => id);
    expect(new Set(ids).size).toBe(modelNames.length + families.length + 1);
    const groups = pickerEntries.map(({ group }) => group);
    // A group is left for good.
    expect(groups.filter((group, i) => group !== groups[i - 1])).toHaveLength(new Set(groups).size);
    for (const { id, spec } of pickerEntries) expect(entryIdOf(spec)).toBe(id);
  });

  it("begin with a chain that works", () => {
    expect(buildModel(firstChain).input).toEqual([1, 28, 28]);
  });

  it.each(["ResNet-18", "resnet 18", "resnet18"])("are found by %s", (query) => {
    const found = searchEntries(query);
    expect(found.map(({ title }) => title)).toEqual(expect.arrayContaining(["ResNet-18", "PreAct ResNet-18"]));
    expect(bestEntry(query, found)?.code).toBe("resnet18");
  });

  it("are found by author and year, in any order", () => {
    expect(titles("2012 Krizhevsky")).toContain("AlexNet (2012)");
    expect(titles("dense huang")).toContain("DenseNet-121");
    expect(titles("no such network")).toEqual([]);
    expect(bestEntry("x", [])).toBeUndefined();
  });
});
