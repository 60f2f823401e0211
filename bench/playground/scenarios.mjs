// What a person does on the playground's pages: each phase is watched by itself. `page` is Playwright's.

const patience = { timeout: 120_000 };
const pause = (page, ms) => page.waitForTimeout(ms);
const shared = (path, configuration) =>
  `${path}?c=1.${Buffer.from(JSON.stringify(configuration)).toString("base64url")}`;

/** LeNet-5 on 6,400 digits, and every look inside while it trains. */
export const train = {
  path: shared("/train", {
    model: { kind: "zoo", name: "lenet5_modern" },
    training: {
      data: { kind: "digits", count: 6400 },
      optimizer: { name: "sgd", options: { lr: 0.02, momentum: 0.9 } },
      schedule: { name: "constant", options: {} },
      augment: "plain",
      epochs: 3,
      batchSize: 32,
      seed: 0,
    },
  }),
  phases: {
    open: async (page) => {
      await page.locator("button:enabled", { hasText: "Start training" }).waitFor(patience);
      await pause(page, 1500);
    },
    start: async (page) => {
      await page.getByRole("button", { name: "Start training" }).click();
      await pause(page, 4000);
    },
    ...Object.fromEntries(["Activations", "Layer by layer", "Confusion", "Mistakes", "Filters"].map(lookInside)),
    "train on": (page) => pause(page, 3000),
    end: async (page) => {
      await page.getByText("The training is over").waitFor(patience);
      await pause(page, 1000);
    },
  },
};

function lookInside(name) {
  return [
    `look: ${name}`,
    async (page) => {
      await page.getByRole("tab", { name }).click();
      await pause(page, 2000);
    },
  ];
}

/** The deepest that people look at, and all that its page does. */
export const architectures = {
  path: shared("/architectures", { model: { kind: "zoo", name: "densenet264" } }),
  phases: {
    open: async (page) => {
      await page.getByRole("tree").waitFor(patience);
      await pause(page, 500);
    },
    "open all blocks": async (page) => {
      await page.getByRole("button", { name: /^Open (all|more) blocks/ }).click();
      await pause(page, 1500);
    },
    "point at layers": async (page) => {
      const { x, y, width } = await page.locator(".graph-picture").boundingBox();
      for (let i = 0; i < 20; i++) {
        await page.mouse.move(x + width * (0.3 + 0.08 * (i % 5)), y + 30 + 25 * i);
        await pause(page, 40);
      }
    },
    "show the whole": async (page) => {
      await page.getByRole("button", { name: "Show the whole network" }).click();
      await pause(page, 500);
    },
    "change the input": async (page) => {
      await page.getByRole("spinbutton", { name: "Input size" }).fill("256");
      await pause(page, 2500);
    },
    "all rows of the table": async (page) => {
      await page.getByRole("tab", { name: "Layers" }).click();
      await page.getByRole("combobox", { name: "Rows" }).selectOption({ label: "All layers" });
      await pause(page, 1000);
      await page.getByRole("button", { name: /^Show \d+ more/ }).click();
      await pause(page, 500);
    },
    "compare fifty": async (page) => {
      await page.getByRole("tab", { name: "Compare" }).click();
      await page.getByRole("region", { name: /^Networks compared/ }).waitFor(patience);
      await page.waitForFunction(() => document.querySelector("progress") === null, null, patience);
      await pause(page, 1000);
    },
  },
};

export const tried = ["resnet18", "vgg16", "densenet264"];

/** Seconds from the choice of a network with random values to its first answer about the digit that is there, and from there to Grad-CAM. */
export async function firstAnswer(page, url, model) {
  const long = { timeout: 600_000 };
  await page.goto(`${url}#${shared("/try", { model: { kind: "zoo", name: model } })}`);
  const best = page.getByRole("list", { name: "The most probable classes" });
  await best.waitFor(patience);
  const began = performance.now();
  await page.getByLabel("Which one").selectOption("random");
  await best
    .getByText(/^class \d|^[a-z]/)
    .first()
    .waitFor(long);
  const answered = performance.now();
  await page.getByRole("tab", { name: "Grad-CAM" }).click();
  await page.getByRole("img", { name: /^Grad-CAM of/ }).waitFor(long);
  return [answered - began, performance.now() - answered].map((ms) => ms / 1000);
}

export const lessons = ["residual", "dropout", "activations"];

/** Seconds from the press of "Start" to the first result, after so many of reading. */
export async function firstResult(page, address, reading) {
  await page.goto(address);
  const start = page.getByRole("button", { name: "Start" });
  await start.waitFor(patience);
  await pause(page, 1000 * reading);
  const began = performance.now();
  await start.click();
  await page.locator(".lesson-seen").waitFor(patience);
  return (performance.now() - began) / 1000;
}
