import { expect } from "vitest";
import { accessible, longTasks, type Story, story } from "./harness.js";

const choose = async ({ page }: Story, name: string): Promise<void> => {
  const model = page.getByRole("combobox", { name: "Model" });
  await model.fill(name);
  await model.press("Enter");
};

story("find what layer3 of ResNet-18 sees", async (told) => {
  const { page, open } = told;
  await open("/architectures");
  await choose(told, "ResNet-18");
  await page.getByRole("heading", { name: "ResNet-18", exact: true }).waitFor();
  await page.getByText("11.7 M").waitFor();

  // In the graph, by its keys.
  const layer3 = page.getByRole("treeitem", { name: /^layer3: Sequential/ });
  await layer3.focus();
  expect(await layer3.getAttribute("aria-expanded")).toBe("true");
  await layer3.press("ArrowLeft");
  await expect.poll(() => layer3.getAttribute("aria-expanded")).toBe("false");
  await layer3.press("ArrowUp");
  await page.keyboard.press("ArrowDown");
  await page.getByRole("heading", { name: "layer3", exact: true }).waitFor();
  await page.getByText(/^211 × 211/).waitFor();
  await page.getByText("pixels, one field every 16").waitFor();

  // On the picture: the last row sees padding.
  const row = page.getByRole("slider", { name: "Row of the layer's map" });
  expect(await row.getAttribute("max")).toBe("13");
  await row.press("End");
  await page.getByRole("img", { name: /Output pixel 14, 8 sees 211 by 211 pixels.*padding/ }).waitFor();
  await accessible(page);

  // The table knows the same layer.
  await page.getByRole("tab", { name: "Layers" }).click();
  const table = page.getByRole("region", { name: "Layers of ResNet-18" });
  await table.getByRole("row", { name: /^layer3 .*256 × 14 × 14.*211/ }).waitFor();
  expect(await table.getByRole("button", { name: "layer3" }).getAttribute("aria-pressed")).toBe("true");
  await table.getByRole("button", { name: "layer4" }).click();
  await page.getByRole("heading", { name: "layer4", exact: true }).waitFor();
  const file = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download as CSV" }).click();
  expect((await file).suggestedFilename()).toBe("resnet-18.csv");
  await accessible(page);
});

story("change a network's numbers, wrong ones too", async (told) => {
  const { page, open } = told;
  await open("/architectures");
  await choose(told, "resnet for small images");
  await page.getByRole("heading", { name: "ResNet-20", exact: true }).waitFor();
  await page.getByRole("combobox", { name: "Depth" }).selectOption("56");
  await page.getByRole("heading", { name: "ResNet-56", exact: true }).waitFor();
  await page.getByText("853 K").waitFor();
  await page.getByRole("spinbutton", { name: "Classes" }).fill("100");
  await page.getByText("859 K").waitFor();

  await choose(told, "inception_v3");
  const image = page.getByTitle("Channels, height, width");
  await page.getByRole("heading", { name: "Inception v3", exact: true }).waitFor();
  await page.getByRole("spinbutton", { name: "Input size" }).fill("40");
  await page.getByText("40x40 images are too small; the least is 75x75").waitFor();
  // What worked stays.
  await image.getByText("3 × 299 × 299").waitFor();
  await page.getByRole("spinbutton", { name: "Input size" }).fill("75");
  await image.getByText("3 × 75 × 75").waitFor();
});

story("put a chain together by keyboard", async (told) => {
  const { page, open } = told;
  await open("/architectures");
  await choose(told, "chain of your own");
  await page.getByRole("heading", { name: "My network", exact: true }).waitFor();
  const layers = page.getByRole("list", { name: "Layers, from the image to the classes" });
  await layers.getByText("32×7×7").waitFor();
  await page.getByRole("combobox", { name: "New layer" }).selectOption("Convolution");
  await page.getByRole("button", { name: "Add to the end" }).click();
  // Behind the global pooling there are no maps.
  await layers
    .getByRole("alert")
    .getByText(/Convolution works on maps of \[C, H, W\], and 32 comes in/)
    .waitFor();
  await layers.getByRole("button", { name: "Move Convolution up" }).last().press("Enter");
  await layers.getByText("16×7×7").waitFor();
  expect(await layers.getByRole("alert").count()).toBe(0);
  await accessible(page);
});

story("compare networks, and the deepest do not freeze the page", { timeout: 120_000 }, async (told) => {
  const { page, open } = told;
  await open("/architectures");
  await choose(told, "resnet1202_cifar");
  // A newer choice wins.
  await choose(told, "densenet121");
  await page.getByRole("heading", { name: "DenseNet-121", exact: true }).waitFor();
  await page.getByRole("tab", { name: "Memory" }).click();
  await page.getByText("In training, one step").waitFor();
  await page.getByRole("tab", { name: "Compare" }).click();
  await page.getByRole("button", { name: "Clear" }).click();
  const add = page.getByRole("combobox", { name: "Add a network" });
  for (const name of ["vgg16", "squeezenet1_1"]) {
    await add.fill(name);
    await add.press("Enter");
  }
  const table = page.getByRole("region", { name: /^Networks compared/ });
  await table.getByRole("row", { name: /^VGG-16 .*138 M.*15\.5 G.*28\.41 %/ }).waitFor();
  await page.getByRole("img", { name: /^2 networks by published top-1 accuracy/ }).waitFor();
  await page.getByRole("img", { name: "Parameters and memory of VGG-16, SqueezeNet 1.1 by layer." }).waitFor();
  await accessible(page);
  await table.getByRole("button", { name: "SqueezeNet 1.1" }).click();
  await page.getByRole("heading", { name: "SqueezeNet 1.1", exact: true }).waitFor();
  // Drawing is the main thread's, on a machine that does other things meanwhile; counting is not.
  for (const { duration } of await longTasks(page)) expect(duration).toBeLessThan(1000);
});

story("a link that names no network says so", async ({ page, open }) => {
  const model = { model: { kind: "zoo", name: "resnet19" } };
  await open(`/architectures?c=1.${Buffer.from(JSON.stringify(model)).toString("base64url")}`);
  await page
    .getByText(/"resnet19" is unknown/)
    .first()
    .waitFor();
  await page.getByRole("combobox", { name: "Model" }).waitFor();
});
