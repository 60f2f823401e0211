import { appendFileSync, copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digits } from "@ocelli/training";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { fails, ocelli, single, small, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();
const run = join(folder, "run");
const onCpu = ["--device", "onnx-cpu", "--threads", "1"];

interface Report {
  readonly report: string;
  readonly epochs: number;
  readonly parameters: number;
  readonly seconds: number | null;
  readonly history: readonly { readonly epoch: number; readonly test: { readonly accuracy: number } }[];
  readonly evaluation: {
    readonly count: number;
    readonly accuracy: number;
    readonly top5: number;
    readonly loss: number;
    readonly classes: readonly { readonly class: string; readonly recall: number; readonly support: number }[];
    readonly confused: readonly { readonly class: string; readonly predicted: string; readonly count: number }[];
    readonly mistakes: readonly {
      readonly index: number;
      readonly class: string;
      readonly probability: number;
      readonly loss: number;
      readonly predicted: readonly { readonly class: string; readonly probability: number }[];
    }[];
  } | null;
}

/** The pictures of a page, in order. */
const pictures = (page: string): Buffer[] =>
  [...page.matchAll(/src="data:image\/png;base64,([^"]+)"/g)].map((match) => Buffer.from(match[1] as string, "base64"));

const sections = (page: string): string[] =>
  [...page.matchAll(/<section id="(\w+)">/g)].map((match) => match[1] as string);

/** A copy of the run, with some files only. */
function copyOf(name: string, files: readonly string[]): string {
  const copy = join(folder, name);
  mkdirSync(copy);
  for (const file of files) copyFileSync(join(run, file), join(copy, file));
  return copy;
}

beforeAll(async () => {
  await succeed(["train", ...small, "--epochs", "3", "--lr", "0.05", "--out", run]);
}, 120_000);

describe("report", { timeout: 60_000 }, () => {
  it("writes the run's page", async () => {
    const { code, out, err } = await ocelli(["report", run, ...onCpu]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(
      /^data +digits test, best checkpoint\naccuracy +\d+\.\d\d %\nloss +\d\.\d+\nreport +.*report\.html\n$/,
    );
    const page = readFileSync(join(run, "report.html"), "utf8");
    expect(sections(page)).toEqual(["curves", "confusion", "mistakes", "filters", "weights", "recipe"]);
    for (const text of [
      "lenet5_modern on digits",
      "Finished after 3 epochs.",
      "61.7 K",
      "<b>sgd</b>, ",
      "images a second",
      "features.0.weight",
    ])
      expect(page).toContain(text);
    // 24 mistakes and the filters.
    expect(pictures(page)).toHaveLength(25);
    expect(page.length).toBeLessThan(200_000);
  });

  it("gives the numbers of eval, and mistakes that are some", async () => {
    const result = single<Record<string, unknown>>(await succeed(["eval", run, ...onCpu, "--json"]));
    const page = join(folder, "numbers.html");
    const args = ["report", run, ...onCpu, "--json", "--mistakes", "3", "--batch-size", "64", "-o", page];
    const { evaluation, ...rest } = single(await succeed(args)) as unknown as Report;
    expect(rest).toMatchObject({ report: page, epochs: 3, parameters: 61706, seconds: expect.any(Number) });
    expect(rest.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    const { count, accuracy, top5, loss, classes, confused, mistakes } = evaluation as NonNullable<
      Report["evaluation"]
    >;
    expect({ count, accuracy }).toEqual({ count: result.count, accuracy: result.accuracy });
    expect(top5).toBeCloseTo(result.top5 as number, 10);
    expect(loss).toBeCloseTo(result.loss as number, 5);
    expect(accuracy).toBe(Math.max(...rest.history.map(({ test }) => test.accuracy)));
    expect(classes.reduce((sum, { recall, support }) => sum + recall * support, 0) / count).toBeCloseTo(accuracy, 10);
    expect(confused[0]?.class).not.toBe(confused[0]?.predicted);
    expect(mistakes).toHaveLength(3);
    expect(mistakes.map((mistake) => mistake.loss)).toEqual(
      mistakes.map((mistake) => mistake.loss).sort((a, b) => b - a),
    );
    const test = digits({ count, split: "test" });
    for (const [i, mistake] of mistakes.entries()) {
      expect(mistake.loss).toBeCloseTo(-Math.log(mistake.probability), 3);
      expect(mistake.predicted[0]?.class).not.toBe(mistake.class);
      expect(mistake.class).toBe(test.classes[test.labels[mistake.index] as number]);
      const { data } = await sharp(pictures(readFileSync(page, "utf8"))[i])
        .toColourspace("b-w")
        .raw()
        .toBuffer({ resolveWithObject: true });
      expect(data.equals(test.images.subarray(784 * mistake.index, 784 * (mistake.index + 1)))).toBe(true);
    }
  });

  it("shows colours, and classes by name", async () => {
    const [data, out] = [join(folder, "cifar10"), join(folder, "colour")];
    mkdirSync(data);
    const images = Buffer.from(
      Array.from({ length: 12 * 3073 }, (_, i) => (i % 3073 === 0 ? (i / 3073) % 10 : (7 * i) % 256)),
    );
    for (const name of ["data_batch_1.bin", "test_batch.bin"]) writeFileSync(join(data, name), images);
    const args = ["--data", "cifar10", "--data-dir", data, "--epochs", "1", "--batch-size", "4", ...onCpu];
    await succeed(["train", "linear", ...args, "--out", out]);
    const { evaluation } = single(
      await succeed(["report", out, ...onCpu, "--json", "--mistakes", "1"]),
    ) as unknown as Report;
    const page = readFileSync(join(out, "report.html"), "utf8");
    const { index = -1, class: name } = evaluation?.mistakes[0] ?? {};
    expect(page).toContain(`alt="Image ${index}: ${name}, taken for `);
    const { data: pixels, info } = await sharp(pictures(page)[0]).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([32, 32, 3]);
    const planes = images.subarray(3073 * index + 1, 3073 * (index + 1));
    expect([...pixels.subarray(0, 6)]).toEqual([0, 1024, 2048, 1, 1025, 2049].map((at) => planes[at]));
  });

  it("without a test shows the log and the weights", async () => {
    const page = join(folder, "quick.html");
    expect(await succeed(["report", run, "--no-eval", "-o", page])).toBe(`report   ${page}\n`);
    const text = readFileSync(page, "utf8");
    expect(sections(text)).toEqual(["curves", "filters", "weights", "recipe"]);
    expect(text).toContain(">test accuracy<");
    const json = single(await succeed(["report", run, "--no-eval", "-o", page, "--json"])) as unknown as Report;
    expect(json.evaluation).toBeNull();
  });

  it("takes a run that was killed early: a torn line, no checkpoint", async () => {
    const killed = copyOf("killed", ["run.json", "log.jsonl"]);
    const log = readFileSync(join(killed, "log.jsonl"), "utf8").split("\n");
    const firstEpoch = log.findIndex((line) => line.includes('"type":"epoch"'));
    writeFileSync(join(killed, "log.jsonl"), log.slice(0, firstEpoch).join("\n"));
    appendFileSync(join(killed, "log.jsonl"), '\n{"type":"epo');
    const { code, out, err } = await ocelli(["report", killed]);
    expect({ code, err }).toEqual({
      code: 0,
      err: `note: ${killed} has no checkpoint yet: the page shows its log alone\n`,
    });
    expect(out).toBe(`report   ${join(killed, "report.html")}\n`);
    const page = readFileSync(join(killed, "report.html"), "utf8");
    expect(page).toContain("No epoch of 3 is finished yet.");
    expect(sections(page)).toEqual(["curves", "recipe"]);
  });

  it("takes a run whose log is gone", async () => {
    const silent = join(folder, "silent");
    cpSync(run, silent, { recursive: true });
    rmSync(join(silent, "log.jsonl"));
    const { history, seconds } = single(await succeed(["report", silent, "--no-eval", "--json"])) as unknown as Report;
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    expect(seconds).toBeNull();
  });

  it("says what is wrong before it works", async () => {
    expect(await fails(1, ["report", folder])).toContain("is not a run");
    expect(await fails(2, ["report", run, "-o", folder])).toContain("is a folder");
    expect(await fails(2, ["report", run, "--mistakes", "-1"])).toContain("It needs a whole number, 0 or more");
    const killed = join(folder, "killed");
    expect(await fails(1, ["report", killed, "--checkpoint", "last"])).toContain("has no last.safetensors yet");
  });
});
