import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright";
import { expect } from "vitest";
import { watchMainThread } from "../../../scripts/playground/main-thread.mjs";
import { type Configuration, encodeConfiguration } from "../src/model/share.js";
import type { ModelSpec } from "../src/model/spec.js";
import type { TrainingSpec } from "../src/model/training.js";
import { accessible, keyboardAt, longTasks, story } from "./harness.js";
import { beforeWorkers, loseCard, withCard } from "./machines.js";
import { noisyPng } from "./pictures.js";

/** Two minutes are promised on a machine that does nothing else; others wait longer for the same. */
const patience = 240_000;

/** LeNet-5 on few digits: seconds, where the page's own proposal takes a minute. */
const quick = {
  model: { kind: "zoo", name: "lenet5_modern" },
  training: {
    data: { kind: "digits", count: 640 },
    optimizer: { name: "sgd", options: { lr: 0.02, momentum: 0.9 } },
    schedule: { name: "constant", options: {} },
    augment: "plain",
    epochs: 1,
    batchSize: 32,
    seed: 0,
  },
} as const satisfies Configuration;

/** The page's address with a training as a link brings it. */
const train = (changes: Partial<TrainingSpec> = {}, model: ModelSpec = quick.model): string =>
  `/train?c=${encodeConfiguration({ model, training: { ...quick.training, ...changes } })}`;

const startButton = (page: Page): Locator => page.getByRole("button", { name: "Start training" });

/** Starts, and waits for what shows that it did: a training that fails at once may never be seen to run. */
async function start(
  page: Page,
  {
    epochs,
    sign = page.getByRole("button", { name: "Pause" }),
  }: { readonly epochs?: number; readonly sign?: Locator } = {},
): Promise<void> {
  if (epochs !== undefined) await page.getByRole("spinbutton", { name: "Epochs" }).fill(`${epochs}`);
  await expect.poll(() => startButton(page).isEnabled(), { timeout: 60_000 }).toBe(true);
  // What was typed reaches the plan a moment later.
  if (epochs !== undefined)
    await expect.poll(() => page.getByRole("img", { name: `Learning rate over ${epochs} epochs` }).count()).toBe(1);
  await expect.poll(() => startButton(page).isEnabled()).toBe(true);
  await startButton(page).click();
  await sign.waitFor({ timeout: 60_000 });
}

/** The step that the page shows. */
async function stepOf(page: Page): Promise<number> {
  const text = await page.getByText(/^step [\d,]+ of/).innerText();
  return Number(/step ([\d,]+)/.exec(text)?.[1]?.replaceAll(",", ""));
}

const reach = (page: Page, step: number): Promise<void> =>
  expect.poll(() => stepOf(page), { timeout: 120_000, interval: 200 }).toBeGreaterThanOrEqual(step);

story(
  "digits are learnt to over 95 % within two minutes, and the page answers all the while",
  { timeout: patience },
  async ({ page, open }) => {
    await open("/train");
    await page.getByText(/10,000 pictures to learn from/).waitFor({ timeout: 60_000 });
    await accessible(page);
    await expect.poll(() => startButton(page).isEnabled(), { timeout: 60_000 }).toBe(true);
    const began = performance.now();
    await start(page);
    const since = await page.evaluate(() => performance.now());
    const busy = await watchMainThread(page);
    await page.getByText(/^Computes on/).waitFor();
    for (const tab of ["Activations", "Layer by layer", "Confusion", "Mistakes", "Filters"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page
        .getByText(/after step|as the step after|black .* white/)
        .first()
        .waitFor({ timeout: 60_000 });
    }
    await page.getByText("The training is over").waitFor({ timeout: patience });
    const seconds = (performance.now() - began) / 1000;
    const work = await busy.end();
    const longest = work.slice(0, 5).map((ms) => ms.toFixed(0));
    const waits = (await longTasks(page, since)).map(({ duration }) => Math.round(duration));
    const verdict = await page.getByText(/of 100 pictures that it had never seen/).innerText();
    const accuracy = Number(/\(([\d.]+) %/.exec(verdict)?.[1]);
    console.log(
      `digits: ${accuracy} % after ${seconds.toFixed(0)} s; the page's longest pieces of work took ${longest.join(", ")} ms of the processor; waits over 50 ms: ${waits.join(", ") || "none"}`,
    );
    expect(accuracy).toBeGreaterThan(95);
    // The goal is 50. A virtual machine that loses its processor counts the loss to whatever ran: a few pieces say nothing of the page. One that
    // stutters does so at each of the five looks inside.
    expect(work[2], "processor time of the third longest piece of work, in ms").toBeLessThan(150);
    for (const tab of ["Confusion", "Mistakes", "Layer by layer", "Activations"]) {
      await page.getByRole("tab", { name: tab }).click();
      await page.getByText("Looking ...").waitFor({ state: "detached", timeout: 60_000 });
    }
    await accessible(page);
    await page.getByRole("button", { name: "Try it" }).click();
    await expect.poll(() => new URL(page.url()).hash).toBe("#/try");
  },
);

story(
  "a training outlives a reload, and a second tab leaves it alone",
  { timeout: patience },
  async ({ page, context, open, url }) => {
    await open(train({ data: { kind: "digits", count: 4000 } }));
    await start(page);
    await reach(page, 5);
    // By the keyboard, which keeps its place though buttons come and go.
    await page.getByRole("button", { name: "Pause" }).press("Enter");
    await page.getByText(/^Paused: epoch 1 of 1/).waitFor({ timeout: 60_000 });
    expect(await keyboardAt(page)).not.toBe("body");
    const paused = await stepOf(page);
    await page.getByRole("button", { name: "Step" }).press("Enter");
    await expect.poll(() => stepOf(page), { timeout: 30_000 }).toBe(paused + 1);
    await expect.poll(() => keyboardAt(page)).toBe("button");
    await page.getByRole("slider", { name: /Learning rate/ }).press("ArrowLeft");
    await page.getByRole("button", { name: "Back to the plan" }).waitFor();

    const other = await context.newPage();
    await other.goto(url("/train"));
    await other.getByText("trained in another tab").waitFor({ timeout: 60_000 });
    expect(await other.getByRole("button", { name: "Go on" }).isEnabled()).toBe(false);
    await other.close();

    await page.getByRole("button", { name: "Go on" }).click();
    await reach(page, paused + 10);
    await page.reload();
    await page.getByText(/A training of .* was (interrupted|paused)/).waitFor({ timeout: 60_000 });
    await page.getByRole("status").getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor({ timeout: 60_000 });
    expect(await stepOf(page)).toBeGreaterThanOrEqual(paused + 1);
    await page.getByRole("button", { name: "Back to the plan" }).waitFor();
    await page.getByText("The training is over").waitFor({ timeout: patience });
  },
);

story(
  "a tab that the browser puts to sleep goes on when it wakes",
  { timeout: patience },
  async ({ page, context, open }) => {
    await open(train({ epochs: 500 }));
    await start(page);
    await reach(page, 5);
    const session = await context.newCDPSession(page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await reach(page, (await stepOf(page)) + 20);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("The training was stopped").waitFor({ timeout: 60_000 });
  },
);

story("files that are no data, and pictures of one's own", { timeout: patience }, async ({ page, open }) => {
  const folder = mkdtempSync(join(tmpdir(), "ocelli-pictures-"));
  try {
    await open("/train");
    await page.getByText("Add other data").click();
    await page.getByRole("tab", { name: "A standard set" }).click();
    const notes = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("milk, bread") };
    await page.getByLabel(/Choose the files/).setInputFiles(notes);
    const refused = page.getByRole("alert").filter({ hasText: "These files cannot be used" });
    await refused.waitFor({ timeout: 30_000 });
    expect(await refused.innerText()).toMatch(/train-images-idx3-ubyte/);

    await page.getByRole("tab", { name: "Your own pictures" }).click();
    await page.getByRole("textbox", { name: "Name of the class" }).first().fill("red");
    await page.getByRole("textbox", { name: "Name of the class" }).nth(1).fill("blue");
    const add = async (name: string, files: { name: string; mimeType: string; buffer: Buffer }[]): Promise<void> =>
      page
        .getByRole("region", { name: `Class ${name}` })
        .locator("input[type=file]")
        .setInputFiles(files);
    const photographs = (colour: readonly number[]) =>
      Array.from({ length: 8 }, (_, i) => ({
        name: `${i}.png`,
        mimeType: "image/png",
        buffer: noisyPng(40, 30 + i, colour),
      }));
    await add("red", [...photographs([220, 40, 40]), notes]);
    await page.getByText("1 file left out").waitFor();
    const use = page.getByRole("button", { name: /^Use \d+ pictures/ });
    await use.click();
    await page.getByText(/All pictures are of one class, red/).waitFor();

    await add("blue", photographs([40, 40, 220]));
    await add("blue", [
      { name: "torn.png", mimeType: "image/png", buffer: noisyPng(40, 40, [0, 0, 0]).subarray(0, 900) },
    ]);
    const large = join(folder, "large.png");
    writeFileSync(large, noisyPng(5000, 4000, [40, 40, 220], 0));
    await page.getByRole("region", { name: "Class blue" }).locator("input[type=file]").setInputFiles(large);
    await use.click();
    await page.getByText(/My pictures is there/).waitFor({ timeout: 120_000 });
    await page.getByText("1 file left out").first().click();
    await page.getByText(/torn\.png: /).waitFor();
    await page
      .getByText(/2 classes/)
      .first()
      .waitFor();
    await accessible(page);
    await start(page);
    await page.getByText("The training is over").waitFor({ timeout: patience });
    await page.getByRole("button", { name: "Set up another training" }).click();
    await page.getByRole("button", { name: "Delete My pictures" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

story(
  "a loss that explodes says so, and the next try goes well; without WebGPU",
  { webgpu: false, timeout: patience },
  async ({ page, open }) => {
    await open(train({ optimizer: { name: "sgd", options: { lr: 1e6, momentum: 0.9 } } }));
    await page.getByText(/Computes on the processor: WebAssembly/).waitFor({ timeout: 60_000 });
    const wrong = page.getByRole("alert").filter({ hasText: "The training went wrong" });
    await start(page, { sign: wrong });
    expect(await wrong.innerText()).toMatch(/learning rate/);
    await wrong.getByRole("button", { name: "Begin again at a tenth of the learning rate" }).click();
    await page.getByText(/SGD with momentum at 1\.0e\+5,/).waitFor({ timeout: 60_000 });
  },
);

story(
  "without room in the browser a training goes on, and says so",
  { timeout: patience },
  async ({ page, context, open }) => {
    await open(train({ epochs: 20 }));
    const session = await context.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(page.url()).origin, quotaSize: 1000 });
    await start(page);
    await page.getByRole("alert").filter({ hasText: "This training is not kept" }).waitFor({ timeout: 60_000 });
    await page.getByText("Not kept in this browser").waitFor();
    await reach(page, (await stepOf(page)) + 5);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("The training was stopped").waitFor({ timeout: 60_000 });
    // What it has learnt is there all the same, as long as the page is.
    await page.getByRole("button", { name: "Try it" }).click();
    const network = page.getByRole("combobox", { name: "Which one" });
    await expect
      .poll(() => network.locator("option:checked").innerText(), { timeout: 30_000 })
      .toMatch(/LeNet-5 on Digits/);
    const answer = page.getByRole("list", { name: "The most probable classes" }).getByRole("listitem");
    await answer.first().waitFor({ timeout: 60_000 });
    // Another training can begin from it, too.
    await page.getByRole("navigation").getByRole("link", { name: "Train" }).click();
    await page.getByRole("button", { name: "Set up another training" }).click();
    await page.getByRole("combobox", { name: "Begin from" }).selectOption({ label: "LeNet-5 on Digits (in memory)" });
    await page.getByText(/all 10 tensors from “LeNet-5 on Digits”/).waitFor({ timeout: 30_000 });
    await start(page);
    await page.getByText(/Begun with all 10 tensors/).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("The training was stopped").waitFor({ timeout: 60_000 });
  },
);

story(
  "a training begins from a network that was kept, its head alone is trained, and a reload keeps that",
  { timeout: patience },
  async ({ page, open }) => {
    await open(train());
    await start(page, { sign: page.getByText("The training is over") });
    await page.getByRole("button", { name: "Set up another training" }).click();
    const from = page.getByRole("combobox", { name: "Begin from" });
    await from.selectOption({ index: 1 });
    await page.getByText(/all 10 tensors from “LeNet-5 on Digits”/).waitFor({ timeout: 30_000 });
    await page.getByRole("checkbox", { name: /Train the head alone/ }).check();
    await page.getByText("Finer settings").click();
    await page.getByRole("spinbutton", { name: "Averaged weights" }).fill("1");
    await page.getByText("needs a number from 0 to 0.99999").waitFor();
    await page.getByRole("spinbutton", { name: "Averaged weights" }).fill("0.9");
    await accessible(page);
    await start(page, { epochs: 200 });
    await reach(page, 1);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText(/^Paused: epoch/).waitFor({ timeout: 60_000 });
    await page.reload();
    await page.getByText("A training of LeNet-5 on Digits was paused").waitFor({ timeout: 60_000 });
    await page.getByRole("status").getByRole("button", { name: "Go on" }).click();
    await page.getByText(/weights averaged \(0\.9\)\. Begun with all 10 tensors .* The head alone learns/).waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("The training was stopped").waitFor({ timeout: 60_000 });

    await page.getByRole("button", { name: "Set up another training" }).click();
    await from.selectOption({ index: 1 });
    await page.getByRole("combobox", { name: "Model" }).fill("resnet20");
    await page.keyboard.press("Enter");
    const nothing = page.getByRole("alert").filter({ hasText: "Nothing can be taken from LeNet-5 on Digits" });
    await nothing.waitFor({ timeout: 30_000 });
    await nothing.getByRole("button", { name: "Begin from fresh values" }).click();
    await nothing.waitFor({ state: "detached", timeout: 30_000 });
  },
);

story(
  "where storage is denied and the camera is refused, both are said in place, and the training goes on",
  { timeout: patience, context: { permissions: [] } },
  async ({ page, context, open }) => {
    const deny = `navigator.storage.getDirectory = () => Promise.reject(new DOMException("not here", "SecurityError"));`;
    await page.addInitScript(deny);
    await beforeWorkers(context, deny);
    await open(train({ epochs: 20 }));
    await page
      .getByRole("alert")
      .filter({ hasText: "Nothing can be kept in this browser" })
      .waitFor({ timeout: 60_000 });
    await page.getByText("Add other data").click();
    await page.getByRole("button", { name: "Use the camera" }).click();
    await page.getByText("No camera").waitFor();
    // A camera that is there all the same: another try takes its picture.
    await page.evaluate(() => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
      const paint = canvas.getContext("2d");
      // Streams have a picture for each change.
      setInterval(() => paint?.fillRect(0, 0, 64, 48), 50);
      navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(10);
    });
    await page.getByRole("button", { name: "Use the camera" }).click();
    await page.getByRole("button", { name: "Snap" }).click();
    await page
      .getByRole("region", { name: /^Class / })
      .first()
      .getByRole("img")
      .first()
      .waitFor();
    await page.getByRole("button", { name: "Close the camera" }).click();
    await start(page);
    await page.getByRole("alert").filter({ hasText: "This training is not kept" }).waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("The training was stopped").waitFor({ timeout: 60_000 });
  },
);

story(
  "a graphics card that is lost takes nothing with it that was saved",
  { timeout: patience },
  async ({ page, context, open }) => {
    await withCard(context);
    await open(train({ epochs: 500 }, { kind: "zoo", name: "linear" }));
    await page.getByText("Computes on the graphics card: a card.").waitFor({ timeout: 60_000 });
    await start(page);
    await reach(page, 5);
    await loseCard(context);
    const lost = page.getByRole("alert").filter({ hasText: "The graphics card was lost" });
    await lost.waitFor({ timeout: 60_000 });
    const goOn = lost.getByRole("button", { name: /^Go on from step/ });
    const from = Number(/step ([\d,]+)/.exec(await goOn.innerText())?.[1]?.replaceAll(",", ""));
    await goOn.click();
    await reach(page, from + 3);
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("The training was stopped").waitFor({ timeout: 60_000 });
  },
);
