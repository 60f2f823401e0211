import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Device, hostTensor } from "@ocelli/core";
import { type ImageDataset, predictor } from "@ocelli/training";
import type { RunDirectory } from "@ocelli/training/node";
import { loadData } from "../data.js";
import { type DeviceFlags, openDevice } from "../device.js";
import { draftRun } from "../draft.js";
import { cropped, drawPictures, type Picture, picturesAcross } from "../drawing.js";
import { interruptible } from "../interrupt.js";
import { type Io, note, print } from "../io.js";
import { type LoadedModel, loadModel } from "../model.js";
import { encodePng } from "../report/png.js";
import { freshFolder } from "../run-folder.js";
import { colors, formatPercent, quoted } from "../terminal.js";
import { reportDone, resumeCommand, trainRun } from "../training.js";
import { writeExport } from "./export.js";
import { best } from "./predict.js";
import { createRun, describe } from "./train.js";

export interface DemoFlags extends DeviceFlags {
  readonly epochs?: number;
  readonly limit?: number;
  readonly out?: string;
}

const model = "lenet5_modern";
const epochs = 5;

/** `ocelli demo`: trains on the built-in digits, saves, exports, shows what the network says, and what to try next. */
export async function demo(io: Io, flags: DemoFlags): Promise<void> {
  print(io, "Training LeNet-5 to read handwritten-style digits, which are made on the spot.");
  print(io);
  await interruptible(io, "stopping after the steps in flight ...", async (signal) => {
    const data = await loadData(io, { data: "digits", limit: flags.limit }, signal);
    const draft = await draftRun(
      io,
      model,
      { data: "digits", epochs: flags.epochs ?? epochs, limit: flags.limit },
      data,
    );
    const device = await openDevice(flags, (line) => note(io, line));
    try {
      const { run } = await createRun(flags.out ?? freshFolder(join("runs", "demo")), draft, device);
      describe(io, { run, data, device, parameters: draft.parameters });
      const job = { run, data, device, json: false, signal, resumeCommand: resumeCommand(io, run), created: true };
      const result = await trainRun(io, job);
      reportDone(io, run, result, false);
      const loaded = await loadModel(run.path, { checkpoint: "last" });
      const onnx = await writeExport(loaded, { to: "onnx", output: join(run.path, "model.onnx"), withTransform: true });
      print(io, `ONNX file       ${onnx.file}`);
      const picture = await showDigits(io, { run, loaded, device, test: data.test });
      suggest(io, run, picture);
    } finally {
      await device.dispose();
    }
  });
}

interface Shown {
  readonly run: RunDirectory;
  readonly loaded: LoadedModel;
  readonly device: Device;
  readonly test: ImageDataset;
}

/** Draws a few digits that were not trained on, with the network's answers. Returns the file of one of them. */
async function showDigits(io: Io, { run, loaded, device, test }: Shown): Promise<string> {
  const [, height, width] = test.shape;
  const border = 3;
  const count = Math.min(picturesAcross(io, width - 2 * border, 5), test.count);
  const predict = await predictor(device, loaded.values, { model: loaded.model, transform: loaded.transform });
  const pictures: Picture[] = [];
  const captions: string[] = [];
  for (let i = 0; i < count; i++) {
    const pixels = test.images.slice(i * width * height, (i + 1) * width * height);
    const [guess] = best(await predict(hostTensor(pixels, [1, 1, height, width])), test.classes, 1);
    pictures.push(cropped({ pixels, width, height }, border));
    captions.push(caption(guess as NonNullable<typeof guess>, test.classes[test.labels[i] as number] as string));
  }
  print(io);
  print(io, "Digits that it has not seen before, and what it says:");
  print(io);
  for (const line of drawPictures(io, pictures, captions)) print(io, line);
  const file = join(run.path, "digit.png");
  await writeFile(file, await encodePng({ pixels: test.images.slice(0, width * height), width, height, channels: 1 }));
  return file;
}

function caption(guess: { readonly class: string; readonly probability: number }, truth: string): string {
  const said = `${guess.class} (${formatPercent(guess.probability, 1)})`;
  return guess.class === truth ? said : `${said}, is ${truth}`;
}

function suggest(io: Io, run: RunDirectory, picture: string): void {
  const { command } = io;
  const folder = quoted(run.path);
  const next: [string, string][] = [
    [`${command} predict ${folder} ${quoted(picture)}`, "read a picture"],
    [`${command} summary ${model}`, "the network, layer by layer"],
    [`${command} train ${model} --data mnist`, "real digits (downloads 12 MB)"],
    [`${command} train lenet5 --data digits`, "the network as published in 1998"],
    [`${command} --help`, "everything else"],
  ];
  const width = Math.max(...next.map(([text]) => text.length)) + 3;
  print(io);
  print(io, "Next:");
  for (const [text, what] of next) print(io, `  ${text.padEnd(width)}${colors(io).dim(what)}`);
}
