import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fails, lines, ocelli, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();

describe("compare", () => {
  it("prints a table, with the marks of errors that do not compare", async () => {
    const out = await succeed(["compare", "alexnet_2012", "alexnet"]);
    expect(out).toMatch(/^alexnet_2012 +3x227x227 .* 40\.70 +18\.20\*$/m);
    expect(out).toMatch(/^alexnet +3x224x224 +61\.1 M +714 M .* 43\.48 +20\.93$/m);
    expect(out).toContain("* mean of many views");
  });

  it("prints objects and comma-separated values", async () => {
    const [model] = lines(await succeed(["compare", "resnet20_cifar", "--dataset", "cifar10", "--json"]));
    expect(model).toMatchObject({ name: "resnet20_cifar", error: { top1: 8.75, singleView: true } });
    expect(model?.layers).toContainEqual(expect.objectContaining({ path: "linear", type: "Linear", parameters: 650 }));
    const [, row] = (await succeed(["compare", "resnet20_cifar", "--dataset", "cifar10", "--csv"])).split("\n");
    expect(row).toMatch(/^resnet20_cifar,3x32x32,\d+,\d+,.*,cifar10,8\.75,,true,/);
  });

  it("compares all that have an error, without names", async () => {
    const names = lines(await succeed(["compare", "--dataset", "cifar100", "--json"])).map(({ name }) => name);
    expect(names).toContain("wrn_28_10");
    expect(names).not.toContain("alexnet");
  }, 60_000);

  it("draws", async () => {
    const [svg, html] = [join(folder, "compare.svg"), join(folder, "compare.html")];
    const { code, out, err } = await ocelli(["compare", "lenet5_modern", "alexnet", "--svg", svg, "--html", html]);
    expect({ code, out, err }).toEqual({ code: 0, out: "", err: `wrote ${svg}\nwrote ${html}\n` });
    expect(readFileSync(svg, "utf8")).toMatch(/^<svg [\s\S]*Parameters by layer[\s\S]*<\/svg>\n$/);
    expect(readFileSync(html, "utf8")).toMatch(/^<!doctype html>/);
  });

  it("wants names that there are, and something to draw", async () => {
    expect(await fails(2, ["compare", "resnet20_cifra"])).toMatch(
      /"resnet20_cifra" is unknown. Did you mean resnet20_cifar/,
    );
    expect(await fails(2, ["compare", "--dataset", "mnst"])).toMatch(/Allowed choices are imagenet, cifar10/);
    expect(await fails(2, ["compare", "alexnet", "--json", "--csv"])).toMatch(/cannot be used with/);
  });

  it("takes the data set on which most of the models have errors", async () => {
    const dataset = async (...args: string[]): Promise<unknown> =>
      lines(await succeed(["compare", ...args, "--json"])).map(({ error }) => (error as { dataset: string })?.dataset);
    expect(await dataset("resnet20_cifar")).toEqual(["cifar10"]);
    expect(await dataset("resnet20_cifar", "alexnet", "resnet32_cifar")).toEqual(["cifar10", undefined, "cifar10"]);
    // As many on one as on the other.
    expect(await dataset("resnet20_cifar", "alexnet")).toEqual([undefined, "imagenet"]);
    expect(await dataset("lenet5", "--dataset", "mnist")).toEqual(["mnist"]);
  });
});

describe.each(["compare", "graph"])("%s checks the files that it is to write", (command) => {
  it.each(["svg", "html"])("--%s", async (format) => {
    const draw = (file: string) => fails(2, [command, "lenet5_modern", `--${format}`, file]);
    const missing = join(folder, "nowhere", `x.${format}`);
    expect(await draw(missing)).toBe(`error: --${format} ${missing}: there is no folder ${join(folder, "nowhere")}\n`);
    const directory = join(folder, `${command}-folder.${format}`);
    mkdirSync(directory);
    expect(await draw(directory)).toBe(`error: --${format} ${directory} is a folder; the name of a file is needed\n`);
    expect(await draw(join(folder, "x.png"))).toContain(`name a file that ends in .${format}`);
  });
});

describe("graph", () => {
  it("draws a picture and a page, and leaves nothing else", async () => {
    const [svg, html] = [join(folder, "graph.svg"), join(folder, "graph.html")];
    const before = readdirSync(folder).length;
    const { code, err } = await ocelli(["graph", "resnet20_cifar", "--svg", svg, "--html", html]);
    expect({ code, err }).toEqual({ code: 0, err: `wrote ${svg}\nwrote ${html}\n` });
    expect(readFileSync(svg, "utf8")).toContain("BasicBlock × 3");
    expect(readFileSync(html, "utf8")).toContain("<title>resnet20_cifar</title>");
    expect(readdirSync(folder)).toHaveLength(before + 2);
  });

  it("takes another input and depth", async () => {
    const file = join(folder, "deep.svg");
    await ocelli(["graph", "resnet20_cifar", "--input", "1x48x48", "--depth", "0", "--svg", file]);
    const svg = readFileSync(file, "utf8");
    expect(svg).toContain("1×48×48");
    expect(svg).not.toContain("BasicBlock × 3");
  });

  it("wants a name that there is, a file, and an input that fits", async () => {
    const file = join(folder, "none.svg");
    expect(await fails(2, ["graph", "lenet5_modren", "--svg", file])).toMatch(/Did you mean lenet5_modern/);
    expect(await fails(2, ["graph", "lenet5_modern"])).toMatch(/it needs --svg FILE or --html FILE/);
    expect(await fails(2, ["graph", "lenet5_modren"])).toMatch(/"lenet5_modren" is unknown/);
    expect(await fails(1, ["graph", "inception_v3", "--input", "3x32x32", "--svg", file])).toMatch(
      /^error: inception_v3: 32x32 images are too small; the least is 75x75\n/,
    );
    expect(await fails(2, ["graph", "lenet5_modern", "--depth", "-1", "--svg", file])).toMatch(
      /a whole number, 0 or more/,
    );
    expect(existsSync(file)).toBe(false);
  });
});
