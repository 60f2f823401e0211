import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSafetensors, toHostTensor } from "@ocelli/formats";
import { freshProgress } from "@ocelli/training";
import { writeCheckpoint } from "@ocelli/training/node";
import type { Page } from "playwright";
import { expect } from "vitest";
import { accessible, longTasks, story } from "./harness.js";

/** The class that the network names. */
const best = (page: Page) =>
  page.getByRole("list", { name: "The most probable classes" }).getByRole("listitem").first();

const nothing = (page: Page) => page.getByText("Draw something, or choose a picture.", { exact: true });

/** Far more than a machine needs that does nothing else. */
const option = { timeout: 60_000 };
const patient = { timeout: 150_000 };

type Point = readonly [x: number, y: number];

/** Draws a line through points of the drawing area, 0..1. */
async function draw(page: Page, points: readonly Point[]): Promise<void> {
  const area = page.getByRole("application", { name: "Drawing area" });
  await area.scrollIntoViewIfNeeded();
  const box = await area.boundingBox();
  if (box === null) throw new Error("the drawing area is not to be seen");
  const at = ([x, y]: Point): readonly [number, number] => [box.x + x * box.width, box.y + y * box.height];
  const [first, ...rest] = points;
  await page.mouse.move(...at(first as Point));
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...at(point), { steps: 8 });
  await page.mouse.up();
}

const tab = (page: Page, name: string) => page.getByRole("tab", { name }).click();

/** A BMP file of 24 bits a pixel: a disc on a ground of another colour. */
function bitmap(width: number, height: number): Buffer {
  const row = 4 * Math.ceil((3 * width) / 4);
  const file = Buffer.alloc(54 + row * height, 90);
  file.write("BM");
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(0, 6);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  file.fill(0, 30, 54);
  const radius = Math.min(width, height) / 4;
  for (let y = 0; y < height; y++) {
    const half = Math.sqrt(Math.max(0, radius ** 2 - (y - height / 2) ** 2));
    const start = 54 + y * row + 3 * Math.round(width / 2 - half);
    file.fill(230, start, start + 3 * Math.round(2 * half));
  }
  return file;
}

story(
  "a seven drawn by hand is named a seven, and the layers show what they make of it",
  patient,
  async ({ page, open }) => {
    await open("/try");
    // The sample: a two.
    await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);
    await draw(page, [
      [0.3, 0.25],
      [0.7, 0.24],
      [0.42, 0.8],
    ]);
    await expect.poll(() => best(page).textContent(), option).toMatch(/^7/);
    await page.getByText(/The network says 7, \d+\.\d %/).waitFor(option);

    await page.getByLabel("Layer", { exact: true }).selectOption("features.3");
    const maps = page.getByRole("list", { name: "Maps of features.3" });
    await maps.waitFor(option);
    expect(await maps.getByRole("button").count()).toBe(16);
    const third = maps.getByRole("button").nth(2);
    const [channel] = /\d+/.exec((await third.getAttribute("aria-label")) ?? "") ?? [];
    await third.click();
    await page.getByRole("img", { name: `The map of channel ${channel}` }).waitFor();
    await page.getByRole("button", { name: "Where it comes from" }).click();
    await page
      .getByRole("img", { name: `What the strongest activation of channel ${channel} came from` })
      .waitFor(option);

    await page.getByRole("button", { name: "Clear" }).click();
    await nothing(page).waitFor();
    const tasks = await longTasks(page);
    console.log(`long tasks: ${tasks.map(({ duration }) => `${Math.round(duration)} ms`).join(", ") || "none"}`);
  },
);

story("a one drawn by the keyboard, and undone", patient, async ({ page, open }) => {
  await open("/try");
  await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);
  const area = page.getByRole("application", { name: "Drawing area" });
  await area.focus();
  await page.keyboard.press("Delete");
  await page.keyboard.press("Space");
  for (let i = 0; i < 14; i++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Space");
  await expect.poll(() => best(page).textContent(), option).toMatch(/^1/);
  await page.keyboard.press("Backspace");
  await nothing(page).waitFor();
});

story("Grad-CAM of a dropped picture, by a ResNet-18 with random values", patient, async ({ page, open }) => {
  const model = { kind: "zoo", name: "resnet18", inputSize: 64, numClasses: 10 };
  await open(`/try?c=1.${Buffer.from(JSON.stringify({ model })).toString("base64url")}`);
  await page.getByLabel("Which one").selectOption("random");
  await page.getByText(/Its values are random/).waitFor(option);
  await page.getByText("11,181,642").waitFor();
  await tab(page, "Picture");
  const dropped = await page.evaluateHandle(
    (bytes) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(bytes)], "disc.bmp", { type: "image/bmp" }));
      return data;
    },
    [...bitmap(120, 80)],
  );
  await page.getByText("Drop or choose a picture").dispatchEvent("drop", { dataTransfer: dropped });
  await page.getByRole("img", { name: "The picture that you chose" }).waitFor(option);
  await page.getByRole("img", { name: "What the network sees: 64 × 64 pixels" }).waitFor(option);
  await tab(page, "Grad-CAM");
  expect(await page.getByLabel("Layer", { exact: true }).inputValue()).toBe("layer4");
  // The last map is 2x2: a layer before it says more.
  await page.getByLabel("Layer", { exact: true }).selectOption("layer2");
  await page.getByLabel("Explain the class").selectOption({ label: "class 3" });
  const heat = page.getByRole("img", { name: "Grad-CAM of class 3" });
  await heat.waitFor(option);
  const pictured = () => heat.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
  const covered = await pictured();
  await page.getByRole("slider", { name: "Opacity" }).fill("0");
  await expect.poll(pictured).not.toBe(covered);

  // Long enough to be cancelled.
  await tab(page, "Occlusion");
  await page.getByRole("slider", { name: "Patch" }).fill("2");
  await page.getByText(/3,969 passes/).waitFor();
  await page.getByRole("button", { name: "Hide one place after the other" }).click();
  await page.getByRole("progressbar", { name: "Hiding one place after the other" }).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Cancelled.").waitFor(option);
});

story("occlusion says what hiding a place costs", patient, async ({ page, open }) => {
  await open("/try");
  await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);
  await tab(page, "Occlusion");
  await page.getByRole("button", { name: "Hide one place after the other" }).click();
  await page.getByText(/Hiding the place that matters most costs \d+\.\d points/).waitFor(option);
  await page.getByRole("img", { name: /^Probability of 2 that is lost/ }).waitFor();
});

story(
  "what is no picture is refused, a photograph of 60 MB is read, a denied camera is said",
  patient,
  async ({ page, open }) => {
    await open("/try");
    await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);
    await tab(page, "Picture");
    const file = page.getByLabel("Drop or choose a picture");
    await file.setInputFiles({ name: "holiday.jpg", mimeType: "image/jpeg", buffer: Buffer.from("no picture at all") });
    await page.getByText(/holiday\.jpg is damaged, or of a format that this browser does not decode/).waitFor(option);
    const folder = mkdtempSync(join(tmpdir(), "ocelli-photograph-"));
    try {
      const photograph = join(folder, "photograph.bmp");
      writeFileSync(photograph, bitmap(5000, 4000));
      await file.setInputFiles(photograph);
      await page.getByRole("img", { name: "The picture that you chose" }).waitFor(option);
      await expect.poll(() => page.getByText("The picture could not be read").count()).toBe(0);
      await page.getByLabel(/Swap light and dark/).check();
      await expect.poll(() => best(page).count(), option).toBe(1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    await page.getByRole("button", { name: "Use the camera" }).click();
    await page.getByText("There is no camera to use").waitFor(option);
  },
);

const digitsFile = fileURLToPath(new URL("../public/networks/digits.safetensors", import.meta.url));

/** A network of the site's storage, as a training leaves it: what is said of it, and a checkpoint with the built-in network's values. */
async function keep(page: Page, id: string, about: object): Promise<void> {
  const { tensors, metadata } = readSafetensors(readFileSync(digitsFile));
  const { transform } = JSON.parse(metadata.network as string);
  const params = Object.fromEntries([...tensors].map(([name, tensor]) => [name, toHostTensor(tensor)]));
  const folder = mkdtempSync(join(tmpdir(), "ocelli-checkpoint-"));
  try {
    const file = join(folder, "last.safetensors");
    await writeCheckpoint(file, { values: { params }, progress: freshProgress });
    const network = {
      format: "ocelli-network-1",
      id,
      created: 1,
      source: "trained",
      transform,
      accuracy: 0.99,
      ...about,
    };
    await page.evaluate(
      async ([name, text, checkpoint]) => {
        const root = await navigator.storage.getDirectory();
        const directory = await root.getDirectoryHandle(name as string, { create: true });
        const write = async (path: string, content: string | Uint8Array<ArrayBuffer>): Promise<void> => {
          const writable = await (await directory.getFileHandle(path, { create: true })).createWritable();
          await writable.write(content);
          await writable.close();
        };
        await write("network.json", text as string);
        await write(
          "last.safetensors",
          Uint8Array.from(atob(checkpoint as string), (c) => c.charCodeAt(0)),
        );
      },
      [`networks-${id}`, JSON.stringify(network), readFileSync(file).toString("base64")],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

story(
  "a kept network answers in its own words; one whose values do not fit says so, and nothing is lost",
  patient,
  async ({ page, open }) => {
    await open("/");
    const spec = { kind: "zoo", name: "lenet5_modern" };
    const classes = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    await keep(page, "mine", { title: "Mine", spec, classes });
    await keep(page, "torn", { title: "Torn", spec: { ...spec, numClasses: 7 }, classes });
    await open("/try");
    await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);
    await page.getByLabel("Which one").selectOption({ label: "Mine (trained)" });
    await expect.poll(() => best(page).textContent(), option).toMatch(/^two/);
    await page.getByLabel("Which one").selectOption({ label: "Torn (trained)" });
    await page.getByText(/classifier\.3\.weight: given float16\[10, 84\], needed float32\[7, 84\]/).waitFor(option);
    await page.getByRole("button", { name: "Take the one for digits" }).click();
    await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);
  },
);

const missing = { ...patient, expected: /404|Failed to load resource/ };

story("a network that cannot be loaded says so, and can be tried again", missing, async ({ page, open }) => {
  const file = /networks\/digits\.safetensors/;
  await page.route(file, (route) => route.fulfill({ status: 404 }));
  await open("/try");
  await page.getByText(/the site answers 404/).waitFor(option);
  await page.unroute(file);
  await page.getByRole("button", { name: "Start again" }).click();
  await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);
});

story("every way to look inside is accessible", patient, async ({ page, open }) => {
  await open("/try");
  await page.getByRole("list", { name: "Maps of features.0" }).waitFor(option);
  await accessible(page);
  await tab(page, "Examples");
  await page.getByRole("button", { name: "The digit 4" }).click();
  await expect.poll(() => best(page).textContent(), option).toMatch(/^4/);
  for (const name of ["Saliency", "Guided backpropagation", "Grad-CAM", "Deconvolution"]) {
    await tab(page, name);
    await page
      .getByRole("img", { name: /^(Saliency of 4|Guided backpropagation of 4|Grad-CAM of 4|What the strongest)/ })
      .waitFor(option);
  }
  await accessible(page);
});
