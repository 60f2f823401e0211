import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { filterSheet } from "./filters.js";
import {
  confusedPairs,
  type EpochRecord,
  type EvaluationRecord,
  type Picture,
  type RunReport,
  reportHtml,
} from "./index.js";
import { binned, lineChart } from "./line-chart.js";
import { heat } from "./style.js";
import { decimal, optionName, optionText, percent } from "./words.js";

const encodePng = async ({ pixels }: Picture): Promise<Uint8Array> =>
  Uint8Array.from([137, 80, 78, 71, pixels.length % 256]);
const html = (run: RunReport): Promise<string> => reportHtml(run, { encodePng });

const epochs = (count: number): EpochRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    epoch: i + 1,
    lr: i < count / 2 ? 0.1 : 0.01,
    train: { loss: 2 / (i + 1), accuracy: 1 - 0.9 / (i + 1) },
    test: { loss: 2.2 / (i + 1), accuracy: 1 - 0.95 / (i + 1) },
    imagesPerSecond: 1000 + i,
    waiting: 0.02,
  }));

function evaluation(classes: readonly string[]): EvaluationRecord {
  const count = classes.length;
  const confusion = new Int32Array(count * count);
  for (let label = 0; label < count; label++) {
    confusion[label * count + label] = 8;
    confusion[label * count + ((label + 1) % count)] = 2;
  }
  const score = { precision: 0.8, recall: 0.8, f1: 0.8, support: 10 };
  return {
    name: "set test",
    count: 10 * count,
    loss: 0.7,
    top1: 0.8,
    top5: 0.99,
    classes,
    confusion,
    perClass: classes.map(() => score),
  };
}

const wild = "<img src=x onerror=alert(1)>";
const mistake = {
  pixels: new Uint8Array(3 * 4 * 6),
  shape: [3, 4, 6] as const,
  index: 41,
  label: 1,
  loss: 5.25,
  probability: 0.005,
  predicted: [
    { label: 0, probability: 0.9 },
    { label: 2, probability: 0.05 },
  ],
};

const full: RunReport = {
  title: `net "a" & ${wild}`,
  status: wild,
  figures: [["parameters", "1.00 K"]],
  facts: [["data", wild]],
  parts: [
    ["optimizer", { name: "sgd", options: { lr: 0.1, weightDecay: 1e-4 } }],
    [
      "schedule",
      {
        name: "warmup",
        options: { epochs: 5, schedule: { name: "multiStep", options: { milestones: [2, 4], gamma: 0.1 } } },
      },
    ],
    ["transform", { name: wild, options: { [wild]: wild, transforms: [{ name: "flip", options: {} }] } }],
  ],
  history: epochs(5),
  steps: Array.from({ length: 40 }, (_, i) => ({
    epoch: (i + 1) / 8,
    loss: 3 / (i + 1),
    lr: 0.1,
    gradientNorm: 2 + i,
  })),
  statistics: [0, 1, 2].map((epoch) => ({
    epoch,
    parameters: [{ name: `conv1.weight${wild}`, gradient: 10 ** -epoch, norm: 3, update: 1e-3 }],
    activations: [{ path: "", mean: 0.1, std: 1 + epoch, zeros: 0.5 }],
  })),
  evaluation: { ...evaluation([wild, "b", "c"]), mistakes: [mistake] },
  filters: { name: "conv1.weight", shape: [2, 3, 2, 2], data: Float32Array.from({ length: 24 }, (_, i) => i - 12) },
  weights: [{ name: "conv1.weight", shape: [2, 3, 2, 2], data: Float32Array.from({ length: 24 }, (_, i) => i - 12) }],
};

/** Elements without an end. */
const open = /<(meta|img|br|input)((?:[^>"]|"[^"]*")*)>/g;

/** Reads a page as strictly as XML and gives its elements with their attributes. */
function elements(page: string): { name: string; attributes: Record<string, string> }[] {
  const found: { name: string; attributes: Record<string, string> }[] = [];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => found.push({ name, attributes }));
  const xml = page
    .replace("<!doctype html>", "")
    .replace(/<script>[\s\S]*<\/script>/, "")
    .replace(open, "<$1$2/>")
    .replace(/ (hidden|open)(?=[ >])/g, ' $1=""');
  parser.write(xml).close();
  return found;
}

describe("reportHtml", () => {
  it("is one well-formed page of its own, the same each time", async () => {
    const page = await html(full);
    expect(page).toBe(await html(full));
    const all = elements(page);
    const addresses = all
      .flatMap(({ attributes }) => [attributes.src, attributes.href])
      .filter((one) => one !== undefined);
    expect(addresses.filter((address) => !/^(#[a-z]+|data:image\/png;base64,[\w+/=]+)$/.test(address))).toEqual([]);
    expect(page).not.toMatch(/url\(|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg")/);
  });

  it("lets no text become markup", async () => {
    const page = await html(full);
    expect(page).not.toContain(wild);
    expect(elements(page).filter(({ attributes }) => "onerror" in attributes)).toEqual([]);
    expect(page.match(/&lt;img src=x onerror=alert\(1\)&gt;/g)?.length).toBeGreaterThan(8);
  });

  it("links to each of its sections, in words", async () => {
    const page = await html(full);
    const all = elements(page);
    const sections = all.filter(({ name }) => name === "section").map(({ attributes }) => `#${attributes.id}`);
    expect(sections).toEqual(["#curves", "#confusion", "#mistakes", "#filters", "#weights", "#statistics", "#recipe"]);
    expect(all.filter(({ name }) => name === "a").map(({ attributes }) => attributes.href)).toEqual(sections);
  });

  it("says in words what it shows", async () => {
    const all = elements(await html(full));
    expect(all.filter(({ name, attributes }) => name === "img" && !attributes.alt)).toEqual([]);
    const drawings = all.filter(({ name }) => name === "svg");
    expect(
      drawings.filter(({ attributes }) => !attributes["aria-label"] && attributes["aria-hidden"] !== "true"),
    ).toEqual([]);
    const loss = drawings.find(({ attributes }) => attributes["aria-label"]?.startsWith("Loss."));
    expect(loss?.attributes["aria-label"]).toBe(
      "Loss. Train: lowest 0.4 after epoch 5. Test: lowest 0.44 after epoch 5.",
    );
    const scrolled = all.filter(({ attributes }) => attributes.class === "scroll");
    expect(scrolled.filter(({ attributes }) => !attributes["aria-label"] || attributes.tabindex !== "0")).toEqual([]);
  });

  it("shows the numbers", async () => {
    const page = await html(full);
    for (const text of [
      "80.00\u00a0%",
      "99.00\u00a0%",
      "loss 5.25, image 41",
      "<b>sgd</b>",
      "weight decay 0.0001",
      "milestones 2, 4",
    ])
      expect(page).toContain(text);
    // The matrix: two mistakes of ten are the root of 0.2.
    expect(page).toContain('<td class="right s8">8</td><td class="wrong s5">2</td><td class="wrong s0"></td>');
  });

  it("leaves out what there is no data for", async () => {
    const page = await html({ title: "empty", history: [] });
    expect(elements(page).filter(({ name }) => name === "section")).toEqual([]);
    expect(page).toContain("<p>0 epochs</p>");
  });

  it("takes a run of one epoch: a table instead of curves", async () => {
    const page = await html({ title: "one", history: epochs(1) });
    expect(page).toContain("<details open>");
    expect(page).not.toContain("<figure>");
    const withSteps = await html({ ...full, history: epochs(1) });
    expect(withSteps).toContain("<h3>Loss</h3>");
    expect(withSteps).toContain("<h3>Gradient norm</h3>");
    expect(withSteps).not.toContain("<h3>Accuracy</h3>");
  });

  it("takes losses that are no numbers", async () => {
    const history = epochs(3).map((record, i) =>
      i < 2 ? record : { ...record, train: { loss: Number.NaN, accuracy: Number.NaN } },
    );
    const page = await html({ title: "diverged", history });
    expect(page).toContain("Train: lowest 1 after epoch 2.");
    expect(page.slice(0, page.indexOf("<script>"))).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("takes a log from anywhere", async () => {
    const history = epochs(3).map((record) => ({ ...record, epoch: wild as unknown as number }));
    expect(await html({ title: "", history })).not.toContain(wild);
  });

  it("stays small: 1000 epochs, 100,000 steps", async () => {
    const steps = Array.from({ length: 100_000 }, (_, i) => ({ epoch: i / 100, loss: 1 + (i % 7), lr: 0.1 / (1 + i) }));
    const page = await html({ title: "long", history: epochs(1000), steps });
    expect(page.length).toBeLessThan(250_000);
    expect(page).toContain("The epochs as a table (one of every 9)");
    expect(page).toContain('<th scope="row">1000</th>');
  });

  it("shows pairs instead of a matrix of 1000 classes", async () => {
    const page = await html({
      title: "many",
      history: [],
      evaluation: evaluation(Array.from({ length: 1000 }, (_, i) => `class ${i}`)),
    });
    expect(page.length).toBeLessThan(600_000);
    expect(page).not.toContain('<table class="matrix');
    expect(page).toContain("All 1000 classes");
  });

  it("folds tables of many layers, and says what is cut", async () => {
    const layer = (i: number) => ({ name: `layer ${i}`, shape: [2, 2], data: [1, 2, 3, i] });
    const weights = (count: number) =>
      html({ title: "", history: [], weights: Array.from({ length: count }, (_, i) => layer(i)) });
    expect(await weights(30)).not.toContain("<details>");
    expect(await weights(31)).toContain("<summary>31 rows</summary>");
    const many = await weights(1000);
    expect(many).toContain("<summary>1000 rows, the first 120 of them</summary>");
    expect(many).not.toContain("layer 120");
  });

  it("says what does not fit together", async () => {
    const test = evaluation(["a", "b"]);
    const run = (changes: Partial<EvaluationRecord>) =>
      html({ title: "", history: [], evaluation: { ...test, ...changes } });
    await expect(run({ confusion: [1, 2, 3] })).rejects.toThrow(
      "the confusion matrix has 3 counts and there are 2 records of classes",
    );
    await expect(run({ mistakes: [{ ...mistake, pixels: new Uint8Array(5) }] })).rejects.toThrow(
      "a picture of shape [3, 4, 6] has 5 bytes",
    );
    await expect(
      html({ title: "", history: [], filters: { name: "fc", shape: [2, 2], data: [1, 2, 3, 4] } }),
    ).rejects.toThrow("the filters fc have shape [2, 2] and 4 values");
  });
});

describe("parts of a report", () => {
  it("orders what is confused by how often", () => {
    expect(confusedPairs([5, 1, 2, 0, 9, 1, 4, 0, 1], 3, 3)).toEqual([
      { label: 2, predicted: 0, count: 4, share: 0.8 },
      { label: 0, predicted: 2, count: 2, share: 0.25 },
      { label: 0, predicted: 1, count: 1, share: 0.125 },
    ]);
  });

  it("puts neighbours together by their mean", () => {
    const points = Array.from({ length: 10 }, (_, x) => ({ x, y: 2 * x }));
    expect(binned(points, 10)).toEqual(points);
    expect(binned(points, 4)).toEqual([
      { x: 1, y: 2 },
      { x: 4, y: 8 },
      { x: 7, y: 14 },
      { x: 9, y: 18 },
    ]);
  });

  it("counts powers of ten only where values are far apart and above 0", () => {
    const chart = (ys: readonly number[]): string =>
      lineChart({
        title: "t",
        about: "",
        lines: [{ name: "l", look: "only", points: ys.map((y, x) => ({ x, y })) }],
        format: decimal,
        mayBeLogarithmic: true,
      });
    expect(chart([1, 0.5, 0.04])).toContain("powers of ten");
    expect(chart([1, 0.5, 0.06])).not.toContain("powers of ten");
    expect(chart([1, 0.5, 0])).not.toContain("powers of ten");
    expect(chart([1])).toBe("");
  });

  it("draws filters in colour, 0 as middle grey, each by its largest value", () => {
    const data = [1, 0, -1, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, ...new Array<number>(12).fill(0)];
    const { picture } = filterSheet({ name: "w", shape: [2, 3, 2, 2], data });
    expect([picture.width, picture.height, picture.channels]).toEqual([5, 2, 4]);
    const at = (x: number, y: number): number[] => [...picture.pixels.slice(4 * (5 * y + x), 4 * (5 * y + x) + 4)];
    expect([at(0, 0), at(0, 1), at(1, 1)]).toEqual([
      [255, 128, 128, 255],
      [0, 128, 128, 255],
      [191, 128, 128, 255],
    ]);
    expect(at(2, 0)).toEqual([0, 0, 0, 0]);
    expect(at(3, 0)).toEqual([128, 128, 128, 255]);
  });

  it("draws filters of other channels in rows, and says what is cut", () => {
    const data = new Float32Array(40 * 16 * 9).fill(1);
    const { picture, about } = filterSheet({ name: "w", shape: [40, 16, 3, 3], data });
    expect([picture.width, picture.height]).toEqual([12 * 4 - 1, 16 * 4 - 1]);
    expect(about).toContain("(the first 16 filters, their first 12 channels)");
    expect(filterSheet({ name: "w", shape: [200, 1, 3, 3], data: new Float32Array(1800) }).about).toContain(
      "The first 96",
    );
  });

  it("writes numbers for people", () => {
    expect([0.12345, Number.NaN, -0.00012345, 123456, 1e-4, 0].map(decimal)).toEqual([
      "0.1235",
      "–",
      "−1.23e−4",
      "1.23e+5",
      "1e−4",
      "0",
    ]);
    expect(percent(0.98765)).toBe("98.77\u00a0%");
    expect(optionName("weightDecay")).toBe("weight decay");
    expect(optionText(Array.from({ length: 100 }, (_, i) => i / 3))).toMatch(/^0, 0\.333333, .* … \(100 in all\)$/);
    expect(optionText({ a: 1 })).toBe('{"a":1}');
  });

  it("has ink that reads on every shade", () => {
    const luminance = (colour: string): number => {
      const [r, g, b] = [1, 3, 5].map((at) => {
        const level = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
        return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4;
      }) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a: string, b: string): number => {
      const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
      return (high + 0.05) / (low + 0.05);
    };
    for (const colour of Object.values(heat.light)) expect(contrast("#24262b", colour)).toBeGreaterThan(4.5);
    for (const colour of Object.values(heat.dark)) expect(contrast("#eceae4", colour)).toBeGreaterThan(4.5);
  });
});
