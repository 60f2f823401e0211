import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { fromHostTensor, writePyTorch } from "@ocelli/formats";
import { flattenStateDict } from "@ocelli/layers";
import { createModel } from "@ocelli/zoo";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Download, Page } from "playwright";
import { expect } from "vitest";
import { accessible, keyboardAt, type Story, story } from "./harness.js";

story("the ONNX file gives the page's own answers in onnxruntime-node", async ({ page, open }) => {
  await open("/take-away");
  await page.getByRole("combobox", { name: "Which one" }).selectOption("LeNet-5, trained on digits");
  await page.getByRole("button", { name: "Ask the network" }).click();
  const rows = page.getByRole("table").filter({ hasText: "Logit" }).locator("tbody tr");
  await rows.first().waitFor();
  const shown = await rows.evaluateAll((all) =>
    all.map((row) => [...row.children].map((cell) => cell.textContent ?? "")),
  );

  const download = await downloaded(page, () => page.getByRole("button", { name: /^Download ONNX/ }).click());
  expect(download.suggestedFilename()).toBe("lenet-5-on-digits.onnx");
  const session = await InferenceSession.create(await readFile(await download.path()));
  const pixels = Uint8Array.from({ length: 28 * 28 }, (_, i) => (37 * i) % 256);
  const { logits } = await session.run({ images: new Tensor("uint8", pixels, [1, 1, 28, 28]) });
  expect(shown).toHaveLength(10);
  for (const [, index, logit] of shown) expect(logits?.data[Number(index)]).toBeCloseTo(Number(logit), 2);
  await session.release();
});

story("a .pth that says nothing of its network is brought along, kept, renamed and deleted", async ({ page, open }) => {
  await open("/take-away");
  const model = createModel("resnet20_cifar", { numClasses: 3 });
  const values = Object.entries(flattenStateDict(model, model.initialState({ seed: 5 })));
  const buffer = Buffer.from(writePyTorch(values.map(([name, value]) => [name, fromHostTensor(value)])));
  await drop(page, "animals.pth", buffer);
  await page.getByText("It does not say which network they are of").waitFor();
  // Plain networks have the same names and shapes: nobody but the reader knows.
  await page.getByRole("combobox", { name: "Which network it is" }).selectOption({ label: "ResNet-20" });
  await page.getByText("The values fit ResNet-20.").waitFor();
  await page.getByRole("combobox", { name: "Classes" }).selectOption("Names of my own");
  await page.getByRole("textbox", { name: "Names, one a line" }).fill("cat\ndog\nowl");
  await page.getByRole("combobox", { name: "Normalisation" }).selectOption("Pixels from 0 to 1");
  await accessible(page);
  await page.getByRole("button", { name: "Keep it", exact: true }).click();
  await page.getByText("animals is kept in this browser").waitFor();

  // Taken away again, the file knows what it is.
  const safetensors = await downloaded(page, () => page.getByRole("button", { name: /^Download Safetensors/ }).click());
  await drop(page, "again.safetensors", await readFile(await safetensors.path()));
  await page.getByText("It is known as ResNet-20, with its classes and its normalisation.").waitFor();
  await page.getByRole("button", { name: "Forget it" }).click();

  await page.getByRole("button", { name: "Rename animals" }).press("Enter");
  await page.keyboard.press("Escape");
  await page.getByRole("textbox", { name: "New name of animals" }).waitFor({ state: "detached" });
  expect(await keyboardAt(page)).not.toBe("body");
  await page.getByRole("button", { name: "Rename animals" }).press("Enter");
  await page.getByRole("textbox", { name: "New name of animals" }).fill("Three animals");
  await page.keyboard.press("Enter");
  const kept = page.getByRole("list", { name: "Networks in this browser" });
  await kept.getByRole("button", { name: "Three animals", exact: true }).waitFor();
  await page.getByRole("button", { name: "Delete Three animals" }).click();
  await accessible(page);
  await page.getByRole("button", { name: "Delete", exact: true }).press("Enter");
  await page.getByText("No networks yet.").waitFor();
  expect(await keyboardAt(page)).not.toBe("body");
});

story("files that are no networks are told so, and nothing comes of them", async ({ page, open }) => {
  await open("/take-away");
  const notice = page.getByRole("alert").filter({ hasText: "The file cannot be used" });
  await drop(page, "notes.txt", Buffer.from("hello"));
  await notice.filter({ hasText: "notes.txt: networks are in files that end in" }).waitFor();
  await drop(page, "torn.safetensors", Buffer.from("hello, this is no network"));
  await notice.filter({ hasText: "torn.safetensors" }).waitFor();
  await page.getByText("No networks yet.").waitFor();
  expect(await page.getByRole("button", { name: "Keep it", exact: true }).count()).toBe(0);
});

/** Without room, or without permission: the story's browser stores nothing more. */
const storages = {
  full: async ({ page, context, open }: Story): Promise<void> => {
    await open("/take-away");
    const session = await context.newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(page.url()).origin, quotaSize: 1000 });
  },
  denied: async ({ page, context, open }: Story): Promise<void> => {
    const deny = `navigator.storage.getDirectory = () => Promise.reject(new DOMException("denied", "SecurityError"));`;
    await context.addInitScript(deny);
    // Of workers, the file is the place to say it.
    await context.route(/assets\/worker[^/]*\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: deny + (await response.text()) });
    });
    await open("/take-away");
    await page.getByRole("alert").filter({ hasText: "Nothing can be kept" }).getByText("SecurityError").waitFor();
    expect(await page.getByRole("button", { name: "Ask the browser to keep it" }).count()).toBe(0);
  },
};

story("where the storage is full, what is brought along is held in memory", async (told) => {
  await storages.full(told);
  await bringAlong(told.page);
  await told.page.getByText(/The browser has no room|the browser has no room/).waitFor();
});

const denied = "where the site may store nothing, what is brought along is tried and taken away all the same";
story(denied, { timeout: 150_000 }, async (told) => {
  const { page } = told;
  await storages.denied(told);
  await bringAlong(page);
  await page.getByRole("button", { name: "Rename LeNet-5 on digits" }).click();
  await page.getByRole("textbox", { name: "New name of LeNet-5 on digits" }).fill("Held");
  await page.keyboard.press("Enter");
  const held = page.getByRole("list", { name: "Networks in this browser" });
  await held.getByRole("button", { name: "Held", exact: true }).waitFor();
  await held.getByText("in memory alone").waitFor();
  await accessible(page);
  const file = await downloaded(page, () => page.getByRole("button", { name: /^Download ONNX/ }).click());
  expect(file.suggestedFilename()).toBe("held.onnx");
  const session = await InferenceSession.create(await readFile(await file.path()));
  await session.release();
  await page.getByRole("link", { name: "Try", exact: true }).click();
  await page
    .getByRole("list", { name: "The most probable classes" })
    .getByText("2")
    .first()
    .waitFor({ timeout: 60_000 });
  await page.getByRole("link", { name: "Take it away" }).click();
  await page.getByRole("button", { name: "Delete Held" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await expect.poll(() => held.count()).toBe(0);
});

/** The network that the site has already, from its file, where nothing can be stored. */
async function bringAlong(page: Page): Promise<void> {
  const file = fileURLToPath(new URL("../public/networks/digits.safetensors", import.meta.url));
  await drop(page, "digits.safetensors", await readFile(file));
  await page.getByText(/^The values fit/).waitFor();
  await page.getByRole("button", { name: "Keep it", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "LeNet-5 on digits is in memory alone" }).waitFor();
}

story("a chain is named, its layers moved by the pointer, and its link carries both", async ({ page, open }) => {
  await open("/take-away");
  await page.getByRole("combobox", { name: "Which one" }).selectOption("random");
  const model = page.getByRole("combobox", { name: "Architecture" });
  await model.fill("chain of your own");
  await model.press("Enter");
  const name = page.getByRole("textbox", { name: "Name", exact: true });
  await name.fill("");
  // As fast as nobody types: what the checks of earlier letters bring back must not undo later ones.
  await name.pressSequentially("Petite Ourse ✓");
  await page.getByText("A link to Petite Ourse ✓:").waitFor();
  const steps = page.getByRole("list", { name: "Layers, from the image to the classes" }).getByRole("listitem");
  // ReLU, the third, to the front.
  const [relu, first] = [steps.nth(2).locator(".chain-grip"), steps.first()];
  const [from, to] = [await relu.boundingBox(), await first.boundingBox()];
  if (from === null || to === null) throw new Error("the layers are not to be seen");
  await page.mouse.move(from.x + 8, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(from.x + 8, to.y + 2, { steps: 5 });
  await expect.poll(() => first.getAttribute("class")).toContain("drop-above");
  await page.mouse.up();
  await expect.poll(() => first.textContent()).toContain("ReLU");
  const link = page.getByRole("textbox", { name: "Link" });
  const designOf = (url: string) =>
    JSON.parse(Buffer.from(url.split("c=1.")[1] as string, "base64url").toString()).model as {
      readonly name: string;
      readonly layers: readonly { readonly of: string }[];
    };
  await expect.poll(async () => designOf(await link.inputValue()).layers[0]?.of).toBe("relu");
  expect(designOf(await link.inputValue()).name).toBe("Petite Ourse ✓");
  await accessible(page);
});

story("a link carries the design; a damaged one says so and changes nothing", async ({ page, open }) => {
  await open("/take-away");
  const link = await page.getByRole("textbox", { name: "Link" }).inputValue();
  expect(link).toContain("#/architectures?c=1.");
  const code = link.slice(link.indexOf("c=") + 2);
  await open(`/take-away?c=${code}`);
  expect(await page.getByRole("textbox", { name: "Link" }).inputValue()).toBe(link);
  await open(`/take-away?c=${code.slice(0, -9)}`);
  await page.getByRole("alert").filter({ hasText: "the link is damaged" }).waitFor();
  expect(await page.getByRole("textbox", { name: "Link" }).inputValue()).toBe(link);
  await accessible(page);
});

async function downloaded(page: Page, act: () => Promise<void>): Promise<Download> {
  const [download] = await Promise.all([page.waitForEvent("download"), act()]);
  return download;
}

async function drop(page: Page, name: string, buffer: Buffer): Promise<void> {
  await page.getByLabel("Drop or choose a file").setInputFiles({ name, mimeType: "application/octet-stream", buffer });
}
