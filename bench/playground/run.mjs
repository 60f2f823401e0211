// The playground's own work: how long its main thread is busy at a stretch, and how soon big networks answer and lessons show something.
// `npm run build`, then `node bench/playground/run.mjs [--rounds 7] [--only train|architectures|try|lessons]`.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { watchMainThread } from "../../scripts/playground/main-thread.mjs";
import { openSite } from "../../scripts/playground/open-site.mjs";
import { root } from "../../scripts/run.mjs";
import { median } from "../rounds.mjs";
import { architectures, firstAnswer, firstResult, lessons, train, tried } from "./scenarios.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    only: { type: "string" },
    chromium: { type: "string", default: process.env.CHROME || "/usr/bin/chromium" },
    site: { type: "string", default: join(root, "apps/playground/dist") },
  },
});
const parts = {
  train: () => watch("Train", train),
  architectures: () => watch("Architectures, DenseNet-264", architectures),
  try: tryTimes,
  lessons: lessonTimes,
};
const wanted = options.only === undefined ? Object.keys(parts) : [options.only];
const rounds = Number(options.rounds);
if (!wanted.every((name) => Object.hasOwn(parts, name)) || !Number.isInteger(rounds) || rounds < 1) {
  console.error(`usage: node bench/playground/run.mjs [--rounds N] [--only ${Object.keys(parts).join("|")}]`);
  process.exit(2);
}
const { url, browser, close } = await openSite({ site: options.site, executablePath: options.chromium });

async function inFreshPage(work) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, serviceWorkers: "block" });
  try {
    return await work(await context.newPage());
  } finally {
    await context.close();
  }
}

/** Of each phase the longest piece of work in every round. */
async function watch(name, { path, phases }) {
  const longest = new Map(Object.keys(phases).map((phase) => [phase, []]));
  for (let round = 0; round < rounds; round++) {
    await inFreshPage(async (page) => {
      for (const [i, [phase, act]] of Object.entries(phases).entries()) {
        const thread = await watchMainThread(page);
        if (i === 0) await page.goto(`${url}#${path}`);
        await act(page);
        longest.get(phase).push((await thread.end())[0] ?? 0);
      }
    });
  }
  console.log(`\n| ${name}: longest piece of work, ms | median | range of ${rounds} rounds |\n| --- | ---: | --- |`);
  for (const [phase, values] of longest) {
    const range = `${Math.min(...values).toFixed(0)} .. ${Math.max(...values).toFixed(0)}`;
    console.log(`| ${phase} | ${median(values).toFixed(0)} | ${range} |`);
  }
}

async function lessonTimes() {
  console.log("\n| lesson: seconds to the first result | at once | after 8 s of reading |\n| --- | ---: | ---: |");
  for (const lesson of lessons) {
    const address = `${url}#/lessons?lesson=${lesson}`;
    const times = [];
    for (const reading of [0, 8]) times.push(await inFreshPage((page) => firstResult(page, address, reading)));
    console.log(`| ${lesson} | ${times.map((seconds) => seconds.toFixed(1)).join(" | ")} |`);
  }
}

async function tryTimes() {
  console.log("\n| Try: seconds | to the first answer | to Grad-CAM |\n| --- | ---: | ---: |");
  for (const model of tried) {
    const times = await inFreshPage((page) => firstAnswer(page, url, model));
    console.log(`| ${model} | ${times.map((seconds) => seconds.toFixed(1)).join(" | ")} |`);
  }
}

try {
  for (const name of wanted) await parts[name]();
} finally {
  await close();
}
