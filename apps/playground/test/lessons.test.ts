import { expect } from "vitest";
import { accessible, story } from "./harness.js";
import { loseCard, withCard } from "./machines.js";

story("the list names six lessons; one opens by a click and leads back", async ({ page, open }) => {
  await open("/lessons");
  expect(await page.getByRole("listitem").count()).toBe(6);
  await accessible(page);
  await page.getByRole("link", { name: "Naive against reduced inception" }).click();
  await page.getByRole("heading", { level: 1, name: "Naive against reduced inception" }).waitFor();
  await page.getByRole("link", { name: "All lessons" }).click();
  await page.getByRole("heading", { level: 1, name: "Lessons" }).waitFor();
});

story("three 3x3: fields of 3, 5 and 7 pixels, and 45 % fewer weights at any width", async ({ page, open }) => {
  await open("/lessons?lesson=receptive-field");
  await page.getByLabel("The same field, fewer weights").check();
  const from = page.getByRole("slider", { name: "Look back from layer" });
  await from.fill("3");
  for (const size of ["7 × 7", "5 × 5", "3 × 3", "1 × 1"])
    await page.getByText(size, { exact: true }).first().waitFor();
  await page
    .getByText("45 % fewer", { exact: false })
    .or(page.getByText("45 %", { exact: true }))
    .first()
    .waitFor();
  await page.getByRole("slider", { name: "Channels in and out" }).fill("5");
  await page.getByRole("cell", { name: "7,077,888" }).waitFor();
  await page.getByText("You expected: The same field, fewer weights.").waitFor();
  await page.getByText("Mean of 24 networks").waitFor({ timeout: 30_000 });
  await page.getByRole("status").getByText("Finished").waitFor();
  await accessible(page);
});

story("inception: 854 M, 271 M, and where 358 M comes from", async ({ page, open }) => {
  await open("/lessons?lesson=inception");
  await page.getByText("854,196,224").first().waitFor();
  await page.getByText("271,351,808").first().waitFor();
  await page.getByText("358,055,936").waitFor();
  await page.getByText("was added twice").waitFor();
  await accessible(page);
  await page.getByRole("slider", { name: "Filters of the 1×1 in front of the 5×5" }).fill("16");
  // 64 - 16 filters fewer, of 256 + 25 * 96 multiply-adds on each of 784 pixels.
  await page.getByText("171,401,216").first().waitFor();
  await page.getByText("358,055,936").waitFor();
});

story(
  "optimizers race in the ravine: step by step, paused, and once more with rates that are too large",
  async ({ page, open }) => {
    await open("/lessons?lesson=optimizers");
    await page.getByRole("button", { name: "Step" }).click();
    await page.getByRole("cell", { name: "-9.00, 2.00" }).first().waitFor();
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("status").getByText("Paused").waitFor();
    await page.getByRole("button", { name: "Reset" }).click();
    await page.getByRole("status").getByText("Ready").waitFor();
    await page.getByRole("slider", { name: "Learning rates" }).fill("4");
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByRole("cell", { name: "not a number" }).first().waitFor({ timeout: 45_000 });
    await page.getByRole("button", { name: "Pause" }).click();
    await accessible(page);
  },
);

story("lessons are accessible before they begin", async ({ page, open }) => {
  for (const [name, title] of [
    ["residual", "Plain against residual"],
    ["dropout", "Dropout and stochastic depth"],
  ] as const) {
    await open(`/lessons?lesson=${name}`);
    await page.getByRole("heading", { level: 1, name: title }).waitFor();
    await page.getByRole("button", { name: "Start" }).waitFor();
    await accessible(page);
  }
});

story(
  "without WebGPU, the start page says what computes instead, and one step shows ten layers",
  { webgpu: false },
  async ({ page, open }) => {
    await open("/");
    await page.getByText(/Your processor, by WebAssembly/).waitFor();
    await open("/lessons?lesson=activations");
    await page.getByRole("button", { name: "Step" }).click();
    await page.getByText("Layer 10", { exact: true }).waitFor({ timeout: 45_000 });
    await page.getByText("Computed on WebAssembly").waitFor();
    await accessible(page);
  },
);

story(
  "a graphics card that is lost ends an experiment; it starts again on a new one",
  { timeout: 150_000 },
  async ({ page, context, open }) => {
    await withCard(context);
    await open("/lessons?lesson=activations");
    await page.getByRole("button", { name: "Step" }).click();
    await page.getByText("Computed on a card").waitFor({ timeout: 90_000 });
    await loseCard(context);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("alert").filter({ hasText: "The experiment stopped" }).waitFor({ timeout: 60_000 });
    await page.getByRole("button", { name: "Start" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
    await page.getByText("Layer 10", { exact: true }).waitFor({ timeout: 90_000 });
  },
);

story("an address of no lesson says so, and shows those there are", async ({ page, open }) => {
  await open("/lessons?lesson=nothing");
  await page.getByRole("alert").getByText("There is no such lesson").waitFor();
  expect(await page.getByRole("listitem").count()).toBe(6);
});
