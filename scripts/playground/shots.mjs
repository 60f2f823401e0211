// What the pictures show. A shot: `name` of the file, `path` of the page, `prepare(page)` as a person would bring it to that state (page is
// Playwright's), and, where it is not 1280 x 800 and light, `width`, `height`, `dark`.

/** Milliseconds: software graphics are slow. */
const patience = { timeout: 180_000 };

export const shots = [
  { name: "home", path: "/", prepare: (page) => page.getByText(/^(WebGPU,|Your graphics|Your processor)/).waitFor() },
  { name: "architectures", path: "/architectures", height: 1060, prepare: fieldOfResNet18 },
  { name: "train", path: "/train", height: 1490, prepare: digitsUnderWay },
  { name: "try", path: "/try", height: 1460, prepare: sevenWithGradCam },
  { name: "lessons", path: "/lessons?lesson=inception", height: 1000, prepare: inceptionLesson },
  { name: "take-away", path: "/take-away", height: 740, prepare: exportPanel },
];

async function fieldOfResNet18(page) {
  const model = page.getByRole("combobox", { name: "Model" });
  await model.fill("ResNet-18");
  await model.press("Enter");
  const layer3 = page.getByRole("treeitem", { name: /^layer3: Sequential/ });
  await layer3.waitFor(patience);
  await layer3.focus();
  await layer3.press("ArrowUp");
  await page.keyboard.press("ArrowDown");
  await page.getByText(/^211 × 211/).waitFor(patience);
  await page.getByRole("tab", { name: "Graph" }).evaluate((tab) => tab.scrollIntoView());
}

async function digitsUnderWay(page) {
  const start = page.getByRole("button", { name: "Start training" });
  await page.getByText(/10,000 pictures to learn from/).waitFor(patience);
  await start.click(patience);
  await page.getByRole("tab", { name: "Confusion" }).click(patience);
  await page.getByText(/^step [5-7]\d\d of/).waitFor(patience);
  await page
    .getByText(/after step/)
    .first()
    .waitFor(patience);
}

async function sevenWithGradCam(page) {
  await page.getByText(/The network says 2/).waitFor(patience);
  await page.getByRole("button", { name: "Clear" }).click();
  const area = page.getByRole("application", { name: "Drawing area" });
  const { x, y, width, height } = await area.boundingBox();
  const to = ([right, down]) => [x + right * width, y + down * height];
  const [start, ...rest] = [
    [0.28, 0.24],
    [0.72, 0.23],
    [0.6, 0.48],
    [0.5, 0.82],
  ].map(to);
  await page.mouse.move(...start);
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...point, { steps: 12 });
  await page.mouse.up();
  await page.getByText(/The network says 7/).waitFor(patience);
  await page.getByRole("tab", { name: "Grad-CAM" }).click();
  await page.getByRole("img", { name: /^Grad-CAM of 7/ }).waitFor(patience);
  await page
    .getByRole("heading", { name: "Show it something" })
    .evaluate((heading) => heading.closest(".panel").scrollIntoView());
}

async function inceptionLesson(page) {
  await page.getByText("854,196,224").first().waitFor(patience);
}

async function exportPanel(page) {
  await page.getByRole("button", { name: /^Download ONNX/ }).waitFor(patience);
}
