import { type Command, Option } from "commander";
import type { Io } from "../io.js";
import {
  checkpoint,
  count,
  counts,
  data,
  dataDir,
  device,
  json,
  limit,
  mean,
  model,
  number,
  onBroken,
  positive,
  std,
  threads,
  workers,
} from "./options.js";

export function addUse(program: Command, io: Io): void {
  const source =
    "folder of a run, a file of weights (.safetensors, .pth, .pt, .th, .onnx), or a model with published ones (resnet18, resnet18:NAME)";
  program
    .command("eval")
    .description("accuracy and loss on a test set; of several models together, by their mean probabilities")
    .argument("[run|weights...]", `${source}; none for --knn and --probe on the pixels`)
    .addOption(data("what to test on: a standard set, a folder or a list of pictures (default: the run's own)"))
    .addOption(dataDir())
    .addOption(limit())
    .addOption(workers())
    .addOption(onBroken())
    .addOption(model())
    .addOption(checkpoint())
    .addOption(mean())
    .addOption(std())
    .addOption(
      new Option("--views <kind>", "average over parts of each image, or over sizes of it").choices([
        "center",
        "five",
        "ten",
        "multi-scale",
      ]),
    )
    .addOption(new Option("--crop <n>", "side of the crops (default: the model's images)").argParser(count))
    .addOption(new Option("--scales <list>", "--views multi-scale: shorter sides, like 224,256,288").argParser(counts))
    .option("--confusion", "which classes are taken for which; precision and recall of each")
    .addOption(new Option("--knn <k>", "classify by the k nearest training images instead").argParser(count))
    .addOption(
      new Option("--metric <name>", "--knn: how far images are apart (default: l2)").choices(["l1", "l2", "cosine"]),
    )
    .option("--probe", "classify by a linear classifier, trained on the features alone")
    .option(
      "--features <layer>",
      "--knn, --probe: the output of this layer (default: the input of the model's last one)",
    )
    .addOption(new Option("--batch-size <n>", "images a step").argParser(count))
    .addOption(device())
    .addOption(threads())
    .addOption(json())
    .action(async (paths, flags) => (await import("../commands/eval.js")).evaluate(io, paths, flags));
  program
    .command("report")
    .description("a run as one page: curves, confusion matrix, worst mistakes, filters")
    .argument("<run>", "folder of a run")
    .addOption(new Option("-o, --output <file>", "page to write (default: report.html in the run's folder)"))
    .addOption(checkpoint())
    .option("--no-eval", "test nothing: what the log and the checkpoint hold")
    .addOption(
      new Option("--mistakes <n>", "how many of the worst mistakes to show (default: 24)").argParser(
        number({ integer: true, min: 0, max: 500 }),
      ),
    )
    .addOption(dataDir())
    .addOption(new Option("--batch-size <n>", "images at once (default: 100)").argParser(count))
    .addOption(device())
    .addOption(threads())
    .addOption(json())
    .action(async (path, flags) => (await import("../commands/report.js")).report(io, path, flags));
  program
    .command("predict")
    .description("the most likely classes of pictures")
    .argument("<run|weights>", source)
    .argument("<image...>", "PNG, JPEG or WebP files")
    .addOption(new Option("--top <k>", "how many classes (default: 3)").argParser(count))
    .option("--invert", "swap light and dark: for dark digits on paper")
    .addOption(model())
    .addOption(checkpoint())
    .addOption(mean())
    .addOption(std())
    .addOption(device())
    .addOption(threads())
    .addOption(json())
    .action(async (path, images, flags) => (await import("../commands/predict.js")).predict(io, path, images, flags));
  program
    .command("augment")
    .description("what training sees of pictures: a grid of random versions, beside the pictures themselves")
    .argument("<image...>", "PNG, JPEG or WebP files")
    .requiredOption("-o, --output <file>", "PNG to write")
    .addOption(
      new Option("--preset <name>", "augmentation of a paper or data set, like cifar or resnet").conflicts("transform"),
    )
    .option("--transform <json>", 'a transform as data: {"name":"colorJitter","options":{"hue":0.5}}, or a list')
    .addOption(new Option("--rows <n>", "rows for each picture (default: 4 for one picture, else 1)").argParser(count))
    .addOption(new Option("--columns <n>", "versions in a row (default: 6)").argParser(count))
    .addOption(new Option("--size <n>", "side of the images in pixels (default: 224)").argParser(count))
    .addOption(
      new Option("--seed <n>", "names the random numbers (default: 0)").argParser(number({ integer: true, min: 0 })),
    )
    .addOption(device())
    .addOption(threads())
    .action(async (images, flags) => (await import("../commands/augment.js")).augment(io, images, flags));
  program
    .command("export")
    .description("write a trained model as an ONNX, safetensors or PyTorch file")
    .argument("<run|weights>", source)
    .addOption(new Option("--to <format>", "format").choices(["onnx", "safetensors", "pth"]).makeOptionMandatory())
    .requiredOption("-o, --output <file>", "file to write")
    .option("--with-transform", "ONNX: take uint8 pixels and normalise them inside the file")
    .addOption(model())
    .addOption(checkpoint())
    .addOption(json())
    .action(async (path, flags) => (await import("../commands/export.js")).exportModel(io, path, flags));
  program
    .command("convert")
    .description("rewrite weights in another format: .safetensors, .pth (.pt, .th) or .onnx")
    .argument("<in>", source)
    .argument("<out>", "file to write; its ending names the format")
    .addOption(new Option("--model <name>", "check the weights against this model and take its names; .onnx needs it"))
    .addOption(json())
    .action(async (from, to, flags) => (await import("../commands/convert.js")).convert(io, from, to, flags));
  program
    .command("bench")
    .description("speed on synthetic images")
    .argument("<model>", "a name from `ocelli list`")
    .addOption(new Option("--mode <mode>", "what to measure").choices(["train", "infer"]).default("train"))
    .addOption(new Option("--batch <n>", "images a step").argParser(count).default(128))
    .addOption(new Option("--seconds <s>", "how long to measure").argParser(positive).default(5))
    .option(
      "--profile [file]",
      "--device webgpu: list the kernels' times, and write a trace for ui.perfetto.dev (default: ocelli-trace.json)",
    )
    .addOption(device())
    .addOption(threads())
    .addOption(json())
    .action(async (name, flags) => (await import("../commands/bench.js")).bench(io, name, flags));
}
