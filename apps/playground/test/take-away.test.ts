import { readFile } from "node:fs/promises";
import { fromHostTensor, writePyTorch } from "@ocelli/formats";
import { flattenStateDict } from "@ocelli/layers";
import { createModel } from "@ocelli/zoo";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Download, Page } from "playwright";
import { expect } from "vitest";
import { accessible, story } from "./harness.js";

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
  await page.getByRole("combobox", { name: "Which network it is" }).selectOption("resnet20_cifar");
  await page.getByText("The values fit resnet20_cifar.").waitFor();
  await page.getByRole("combobox", { name: "Classes" }).selectOption("Names of my own");
  await page.getByRole("textbox", { name: "Names, one a line" }).fill("cat\ndog\nowl");
  await page.getByRole("combobox", { name: "Normalisation" }).selectOption("Pixels from 0 to 1");
  await accessible(page);
  await page.getByRole("button", { name: "Keep it", exact: true }).click();
  await page.getByText("animals is kept in this browser").waitFor();

  // Taken away again, the file knows what it is.
  const safetensors = await downloaded(page, () => page.getByRole("button", { name: /^Download Safetensors/ }).click());
  await drop(page, "again.safetensors", await readFile(await safetensors.path()));
  await page.getByText("It is known as resnet20_cifar, with its classes and its normalisation.").waitFor();
  await page.getByRole("button", { name: "Forget it" }).click();

  await page.getByRole("button", { name: "Rename animals" }).click();
  await page.getByRole("textbox", { name: "New name of animals" }).fill("Three animals");
  await page.keyboard.press("Enter");
  const kept = page.getByRole("list", { name: "Networks in this browser" });
  await kept.getByRole("button", { name: "Three animals", exact: true }).waitFor();
  await page.getByRole("button", { name: "Delete Three animals" }).click();
  await accessible(page);
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("No networks yet.").waitFor();
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
