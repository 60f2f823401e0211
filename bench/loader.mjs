// Photographs from files beside PyTorch's DataLoader: `node bench/loader.mjs --photos DIR`. See README.md.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { build } from "../scripts/run.mjs";
import { jsonLines, markdown, median, noise, positive, run, settled, spread, undisturbed, verdict } from "./rounds.mjs";

const { values: options } = parseArgs({
  options: {
    /** A folder of photographs that the files are cut from. */
    photos: { type: "string" },
    count: { type: "string", default: "600" },
    batch: { type: "string", default: "64" },
    workers: { type: "string", default: `${availableParallelism()}` },
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "5" },
    python: { type: "string", default: "/usr/bin/python3" },
    json: { type: "boolean", default: false },
  },
});
if (options.photos === undefined) {
  console.error(
    "usage: node bench/loader.mjs --photos DIR [--count 600] [--batch 64] [--workers CORES] [--seconds 10] [--rounds 5] [--python /usr/bin/python3] [--json]",
  );
  process.exit(2);
}
const [count, batch, workers, seconds, rounds] = ["count", "batch", "workers", "seconds", "rounds"].map((name) =>
  positive(options[name], name),
);
const photos = readdirSync(resolve(options.photos))
  .filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
  .sort()
  .map((name) => join(resolve(options.photos), name));
if (photos.length === 0) throw new Error(`${options.photos} has no photographs`);

const built = await build();
if (built.code !== 0) process.exit(built.code);

/** JPEGs of ImageNet's usual size, in two classes: parts of the photographs, each another one, the same at every run. */
async function makePictures(dir) {
  const sizes = await Promise.all(photos.map(async (photo) => (await sharp(photo).metadata()).autoOrient));
  for (let i = 0; i < count; i++) {
    const at = i % photos.length;
    const { width, height } = sizes[at];
    const share = 0.6 + (0.4 * ((i * 37) % 100)) / 100;
    const part = { width: Math.floor(share * Math.min(width, (height * 4) / 3)), height: 0, left: 0, top: 0 };
    part.height = Math.floor((part.width * 3) / 4);
    part.left = (i * 131) % (width - part.width + 1);
    part.top = (i * 71) % (height - part.height + 1);
    const folder = join(dir, i % 2 === 0 ? "even" : "odd");
    mkdirSync(folder, { recursive: true });
    await sharp(photos[at])
      .autoOrient()
      .extract(part)
      .resize(500, 375, { fit: "fill" })
      .jpeg({ quality: 90 })
      .toFile(join(folder, `${String(i).padStart(6, "0")}.jpg`));
  }
}

const dir = mkdtempSync(join(tmpdir(), "ocelli-bench-"));
process.on("exit", () => rmSync(dir, { recursive: true, force: true }));
await makePictures(dir);

const script = (name) => fileURLToPath(new URL(name, import.meta.url));
const given = [dir, `${workers}`, `${batch}`, `${seconds}`];
const sides = {
  ours: () => run(process.execPath, [script("loader-ours.mjs"), ...given]),
  theirs: () => run(options.python, [script("loader.py"), ...given]),
};
const busy = [];
const measured = { ours: [], theirs: [] };
for (let round = 0; round < rounds; round++) {
  // Whoever comes second finds a warmer machine: take turns.
  for (const side of round % 2 === 0 ? ["ours", "theirs"] : ["theirs", "ours"]) {
    await settled();
    const { result, others } = await undisturbed(sides[side]);
    busy.push(others);
    measured[side].push(jsonLines(result)[0]);
  }
  const [a, b] = [measured.ours[round], measured.theirs[round]].map(({ imagesPerSecond }) => imagesPerSecond);
  console.error(`round ${round + 1}: ${a.toFixed(0)} against ${b.toFixed(0)} images/s, ratio ${(a / b).toFixed(2)}`);
}

const middle = (side, name) => median(measured[side].map((one) => one[name]));
const ratio = spread(
  measured.ours.map(({ imagesPerSecond }, i) => imagesPerSecond / measured.theirs[i].imagesPerSecond),
);
const row = (name, side, ...rest) => [
  name,
  middle(side, "imagesPerSecond").toFixed(0),
  middle(side, "peakMiB").toFixed(0),
  ...rest,
];
console.log(
  markdown(
    ["", "images/s:", "peak memory, MiB:", "ratio:", "min .. max", "target"],
    [
      row("ocelli", "ours", ratio.text, ratio.range, verdict(ratio.middle, 1.5)),
      row("PyTorch's DataLoader", "theirs", "", "", ""),
    ],
  ),
);
console.log(
  `\n${cpus()[0]?.model}, ${workers} workers, batches of ${batch}, ${count} JPEGs of 500x375, Node ${process.versions.node}, ${measured.theirs[0].versions}; medians of ${rounds} rounds, ${seconds} s each. Our main thread was busy ${(100 * middle("ours", "mainThread")).toFixed(0)} % of the time.`,
);
const warning = noise(busy);
if (warning !== undefined) console.log(warning);
if (options.json) console.log(JSON.stringify({ workers, batch, count, seconds, busy, measured }));
