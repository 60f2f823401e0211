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
import { loseCard, withCard } from "./machines.js";

/** The class that the network names. */
const best = (page: Page) =>
  page.getByRole("list", { name: "The most probable classes" }).getByRole("listitem").first();

const nothing = (page: Page) => page.getByText("Draw something, or choose a picture.", { exact: true });

/** Far more than a machine needs that does nothing else. */
const option = { timeout: 60_000 };
const patient = { timeout: 150_000 };

type Point = readonly [x: number, y: number];

const seven: readonly Point[] = [
  [0.3, 0.25],
  [0.7, 0.24],
  [0.42, 0.8],
];

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
  "a seven drawn by hand and a one by the keyboard are named, and the layers show what they make of it",
  patient,
  async ({ page, open }) => {
    await open("/try");
    // The sample: a two.
    await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);
    await draw(page, seven);
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

    await page.getByRole("application", { name: "Drawing area" }).focus();
    await page.keyboard.press("Delete");
    await nothing(page).waitFor();
    await page.keyboard.press("Space");
    for (let i = 0; i < 14; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await expect.poll(() => best(page).textContent(), option).toMatch(/^1/);
    await page.getByRole("button", { name: "Undo" }).click();
    await nothing(page).waitFor();
    const tasks = await longTasks(page);
    console.log(`long tasks: ${tasks.map(({ duration }) => `${Math.round(duration)} ms`).join(", ") || "none"}`);
  },
);

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

/** What the camera of the story does when somebody asks for it: a browser's refusal by its name, or a picture. */
async function camera(page: Page, does: string): Promise<void> {
  await page.evaluate((name) => {
    const picture = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
    const paint = picture.getContext("2d") as CanvasRenderingContext2D;
    // Streams have a picture for each change.
    setInterval(() => paint.fillRect(20, 10, 4, 30), 50);
    navigator.mediaDevices.getUserMedia = async () => {
      if (name !== "a picture") throw new DOMException("", name);
      return picture.captureStream();
    };
  }, does);
  await page.getByRole("button", { name: "Use the camera" }).click();
}

story(
  "files that cannot be read leave picture and answer as they are; a photograph of 60 MB and a snapshot are read",
  patient,
  async ({ page, open }) => {
    await open("/try");
    await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);
    await tab(page, "Picture");
    const file = page.getByLabel("Drop or choose a picture");
    const notice = page.getByRole("alert").filter({ hasText: "The picture could not be read" });
    for (const [name, buffer, reason] of [
      ["empty.jpg", Buffer.alloc(0), "empty.jpg is empty"],
      ["holiday.jpg", Buffer.from("no picture at all"), "holiday.jpg is damaged, or of a format that this browser"],
      ["huge.png", pngHead(30_000, 20_000), "huge.png has 30000 × 20000 pixels, more than can be read here"],
    ] as const) {
      await file.setInputFiles({ name, mimeType: "image/jpeg", buffer });
      await notice.getByText(reason).waitFor(option);
      expect(await best(page).textContent()).toMatch(/^2/);
    }
    await accessible(page);
    const folder = mkdtempSync(join(tmpdir(), "ocelli-photograph-"));
    try {
      const photograph = join(folder, "photograph.bmp");
      writeFileSync(photograph, bitmap(5000, 4000));
      await file.setInputFiles(photograph);
      await page.getByRole("img", { name: "The picture that you chose" }).waitFor(option);
      await expect.poll(() => notice.count()).toBe(0);
      await page.getByLabel(/Swap light and dark/).check();
      await expect.poll(() => best(page).count(), option).toBe(1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    await camera(page, "NotAllowedError");
    await page.getByText(/Allow the camera in the settings beside the address/).waitFor();
    await camera(page, "NotFoundError");
    await page.getByText(/This machine has none that the browser knows of/).waitFor();
    await camera(page, "a picture");
    const video = page.getByLabel("What the camera sees");
    await expect.poll(() => video.evaluate((element) => (element as HTMLVideoElement).videoWidth)).toBe(64);
    await page.getByRole("button", { name: "Snap" }).click();
    // The photograph was not of this shape.
    const preview = page.getByRole("img", { name: "The picture that you chose" });
    await expect
      .poll(() =>
        preview.evaluate((canvas) => (canvas as HTMLCanvasElement).width / (canvas as HTMLCanvasElement).height),
      )
      .toBeCloseTo(64 / 48, 1);
    await page.getByRole("button", { name: "Use the camera" }).waitFor();
  },
);

/** The beginning of a PNG file, which says how large it is. */
function pngHead(width: number, height: number): Buffer {
  const head = Buffer.from("89504e470d0a1a0a0000000d494844520000000000000000", "hex");
  head.writeUInt32BE(width, 16);
  head.writeUInt32BE(height, 20);
  return head;
}

const digitsFile = fileURLToPath(new URL("../public/networks/digits.safetensors", import.meta.url));

/** A network of the site's storage, as an import leaves it: what is said of it, and a checkpoint with the built-in network's values. */
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
      source: "imported",
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

const missing = { ...patient, expected: /404|Failed to load resource/ };

story(
  "a network that is missing, deleted or does not fit is told, and the page goes on",
  missing,
  async ({ page, context, open, url }) => {
    const file = /networks\/digits\.safetensors/;
    await page.route(file, (route) => route.fulfill({ status: 404 }));
    await open("/try");
    await page.getByText(/the site answers 404/).waitFor(option);
    await page.unroute(file);
    await page.getByRole("button", { name: "Start again" }).click();
    await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);

    const spec = { kind: "zoo", name: "lenet5_modern" };
    const classes = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    await keep(page, "mine", { title: "Mine", spec, classes });
    await keep(page, "torn", { title: "Torn", spec: { ...spec, numClasses: 7 }, classes });
    const other = await context.newPage();
    await other.goto(url("/take-away"));
    // Whoever gives it another name is heard on the first page, which did not know of it.
    await other.getByRole("button", { name: "Rename Torn" }).click();
    await other.getByRole("textbox", { name: "New name of Torn" }).fill("Broken");
    await other.keyboard.press("Enter");
    const which = page.getByLabel("Which one");
    await which.getByRole("option", { name: "Broken (imported)" }).waitFor({ ...option, state: "attached" });
    await which.selectOption({ label: "Mine (imported)" });
    await expect.poll(() => best(page).textContent(), option).toMatch(/^two/);

    await other.getByRole("button", { name: "Delete Mine" }).click();
    await other.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("Mine is no longer kept in this browser").waitFor(option);
    expect(await best(page).textContent()).toMatch(/^two/);
    await other.close();

    await which.selectOption({ label: "Broken (imported)" });
    await page.getByText(/classifier\.3\.weight: given float16\[10, 84\], needed float32\[7, 84\]/).waitFor(option);
    await page.getByRole("button", { name: "Take the one for digits" }).click();
    await expect.poll(() => best(page).textContent(), option).toMatch(/^2/);
  },
);

story("every way to look inside gives its picture, and is accessible", patient, async ({ page, open }) => {
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
  await tab(page, "Occlusion");
  await page.getByRole("button", { name: "Hide one place after the other" }).click();
  await page.getByText(/Hiding the place that matters most costs \d+\.\d points/).waitFor(option);
  await page.getByRole("img", { name: /^Probability of 4 that is lost/ }).waitFor();
  await accessible(page);
});

story(
  "a graphics card that is lost costs no picture: it is opened anew",
  { timeout: 150_000 },
  async ({ page, context, open }) => {
    await withCard(context);
    await open("/try");
    await expect.poll(() => best(page).textContent(), patient).toMatch(/^2/);
    await loseCard(context);
    await page.getByRole("application", { name: "Drawing area" }).focus();
    await page.keyboard.press("Delete");
    await draw(page, seven);
    // Each part of the page that asked it says so.
    const again = page.getByRole("alert").getByRole("button", { name: "Start again" }).first();
    await again.waitFor(option);
    await again.click();
    await expect.poll(() => best(page).textContent(), patient).toMatch(/^7/);
  },
);
