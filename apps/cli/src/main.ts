import { Command, InvalidArgumentError, Option } from "commander";
import { deviceNames } from "./device.js";
import { report } from "./errors.js";
import type { Io } from "./io.js";
import { ocelliVersion } from "./versions.js";

// Commands are imported when they run: `ocelli --help` loads neither a runtime nor an image library.

/** Runs the command line and returns the exit code: 0, 1 for failures, 2 for wrong usage, 130 after Ctrl-C. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    const program = makeProgram(io);
    // Without a command: the help, which is no mistake.
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    return report(error, io);
  }
}

const datasetNames = ["digits", "mnist", "fashion-mnist", "cifar10", "cifar100"];

interface NumberRange {
  readonly integer?: boolean;
  readonly min?: number;
  /** Whether `min` itself is out. */
  readonly above?: boolean;
  readonly max?: number;
}

/** A parser of numbers that says what it wants. */
function number({
  integer = false,
  min = Number.NEGATIVE_INFINITY,
  above = false,
  max = integer ? Number.MAX_SAFE_INTEGER : Number.MAX_VALUE,
}: NumberRange) {
  return (text: string): number => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const good =
      Number.isFinite(value) &&
      (above ? value > min : value >= min) &&
      value <= max &&
      (!integer || Number.isInteger(value));
    if (good) return value;
    const kind = integer ? "a whole number" : "a number";
    const from = Number.isFinite(min) ? (above ? ` above ${min}` : `, ${min} or more`) : "";
    const to = max < Number.MAX_SAFE_INTEGER ? `, at most ${max}` : "";
    throw new InvalidArgumentError(`It needs ${kind}${from}${to}.`);
  };
}

const count = number({ integer: true, min: 1 });
const positive = number({ min: 0, above: true });
const share = number({ min: 0 });

function shape(text: string): readonly [number, number, number] {
  const match = /^(\d{1,6})x(\d{1,6})x(\d{1,6})$/.exec(text);
  const dims = match?.slice(1).map(Number) as [number, number, number] | undefined;
  if (dims?.every((dim) => dim > 0)) return dims;
  throw new InvalidArgumentError("It needs channels, height and width, like 1x28x28.");
}

function numbers(text: string): readonly number[] {
  return text.split(",").map(number({}));
}

const device = (): Option => new Option("--device <name>", "what to run on").choices(deviceNames).default("auto");
const threads = (): Option =>
  new Option("--threads <n>", "threads (default: one for each core)").argParser(
    number({ integer: true, min: 1, max: 256 }),
  );
const data = (text: string): Option => new Option("--data <name>", text).choices(datasetNames);
const dataDir = (): Option =>
  new Option("--data-dir <dir>", "folder with the data's files; nothing is downloaded then");
const limit = (): Option => new Option("--limit <n>", "use at most so many images of each split").argParser(count);
const json = (): Option => new Option("--json", "print JSON, one object a line");
const checkpoint = (): Option =>
  new Option("--checkpoint <kind>", "which checkpoint of a run (default: best)").choices(["last", "best"]);
const model = (): Option => new Option("--model <name>", "the model, for weights that do not say which");
const mean = (): Option =>
  new Option("--mean <list>", "mean of the pixels (0..1) by channel, like 0.13").argParser(numbers);
const std = (): Option => new Option("--std <list>", "their standard deviation, like 0.31").argParser(numbers);

function makeProgram(io: Io): Command {
  const program = new Command("ocelli")
    .description("Train, evaluate, inspect and convert convolutional networks.")
    .version(ocelliVersion())
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .showHelpAfterError("(--help shows what there is)")
    .enablePositionalOptions()
    .addHelpText("after", () => `\nTry it: ${io.command} demo\n`);
  addInspection(program, io);
  addTraining(program, io);
  addUse(program, io);
  return program;
}

function addInspection(program: Command, io: Io): void {
  program
    .command("list")
    .description("all models, each with its input, parameters and paper")
    .addOption(json())
    .action(async (flags) => (await import("./commands/list.js")).list(io, flags));
  program
    .command("summary")
    .description("a model, layer by layer")
    .argument("<model>", "a name from `ocelli list`")
    .addOption(new Option("--input <shape>", "channels x height x width, like 1x28x28").argParser(shape))
    .addOption(new Option("--classes <n>", "number of classes").argParser(count))
    .addOption(new Option("--batch <n>", "images at once (default: 1)").argParser(count))
    .addOption(
      new Option("--depth <n>", "add up what is nested deeper than this").argParser(number({ integer: true, min: 0 })),
    )
    .option("--training", "also the peak memory of a training step, with momentum")
    .addOption(
      new Option("--style <name>", "whose columns and totals (default: ocelli)")
        .choices(["ocelli", "torchsummary"])
        .conflicts(["csv", "depth", "training"]),
    )
    .addOption(json().conflicts("csv"))
    .option("--csv", "print comma-separated values")
    .action(async (name, flags) => (await import("./commands/summary.js")).summary(io, name, flags));
  program
    .command("compare")
    .description("models side by side: what each costs, and its published error")
    .argument("[model...]", "names from `ocelli list` (default: all with an error on the data set, ImageNet)")
    .addOption(
      new Option("--dataset <name>", "whose errors (default: where most of the models have some)").choices([
        "imagenet",
        "cifar10",
        "cifar100",
        "mnist",
      ]),
    )
    .addOption(json().conflicts("csv"))
    .option("--csv", "print comma-separated values")
    .option("--svg <file>", "draw accuracy, operations and parameters; for up to 12 models also their layers")
    .option("--html <file>", "the charts and a table as one page")
    .action(async (names, flags) => (await import("./commands/compare.js")).compare(io, names, flags));
  program
    .command("graph")
    .description("a model as boxes and arrows")
    .argument("<model>", "a name from `ocelli list`")
    .addOption(new Option("--input <shape>", "channels x height x width, like 3x224x224").argParser(shape))
    .addOption(
      new Option("--depth <n>", "levels of blocks to open (default: as many as can be read)").argParser(
        number({ integer: true, min: 0 }),
      ),
    )
    .option("--training", "as it is in training: with dropout and auxiliary classifiers")
    .option("--svg <file>", "write a picture")
    .option("--html <file>", "write a page whose blocks open and close")
    .action(async (name, flags) => (await import("./commands/graph.js")).graph(io, name, flags));
  program
    .command("doctor")
    .description("what there is to run on, and what is missing")
    .addOption(json())
    .addOption(new Option("--probe <device>", "try one device").choices(deviceNames).hideHelp())
    .action(async (flags) => (await import("./commands/doctor.js")).doctor(io, flags));
}

function addTraining(program: Command, io: Io): void {
  program
    .command("train")
    .description("train a model; Ctrl-C saves and stops")
    .argument("[model]", "a name from `ocelli list`")
    .addOption(data("what to train on; digits are built in, the others are downloaded once"))
    .addOption(dataDir())
    .addOption(limit())
    .addOption(new Option("--epochs <n>", "passes over the data (default: the model's recipe)").argParser(count))
    .addOption(new Option("--batch-size <n>", "images a step").argParser(count))
    .addOption(new Option("--optimizer <name>", "update rule").choices(["sgd", "adam", "rmsprop"]))
    .addOption(new Option("--lr <x>", "learning rate").argParser(positive))
    .addOption(new Option("--momentum <x>", "momentum of sgd and rmsprop").argParser(share))
    .addOption(new Option("--weight-decay <x>", "L2 penalty").argParser(share))
    .addOption(new Option("--schedule <name>", "learning rate over time").choices(["constant", "step"]))
    .addOption(new Option("--step-size <n>", "epochs of a step of the schedule").argParser(positive))
    .addOption(new Option("--gamma <x>", "factor of each step").argParser(positive))
    .addOption(
      new Option("--seed <n>", "names all chance of the run (default: 0)").argParser(number({ integer: true, min: 0 })),
    )
    .addOption(new Option("--device <name>", "what to run on (default: auto)").choices(deviceNames))
    .addOption(threads())
    .option("--out <dir>", "folder of the run (default: a new one in runs/)")
    .option("--resume <dir>", "go on with the run in this folder")
    .addOption(json())
    .action(async (name, flags) => (await import("./commands/train.js")).train(io, name, flags));
  program
    .command("demo")
    .description("train LeNet-5 on built-in digits and show what it can do")
    .addOption(new Option("--epochs <n>", "passes over the data").argParser(count))
    .addOption(limit())
    .addOption(device())
    .addOption(threads())
    .option("--out <dir>", "folder of the run (default: a new one in runs/)")
    .action(async (flags) => (await import("./commands/demo.js")).demo(io, flags));
}

function addUse(program: Command, io: Io): void {
  const source =
    "folder of a run, a file of weights (.safetensors, .pth, .pt, .th, .onnx), or a model with published ones (resnet18, resnet18:NAME)";
  program
    .command("eval")
    .description("accuracy and loss on a test set")
    .argument("<run|weights>", source)
    .addOption(data("what to test on (default: the run's own)"))
    .addOption(dataDir())
    .addOption(limit())
    .addOption(model())
    .addOption(checkpoint())
    .addOption(mean())
    .addOption(std())
    .addOption(new Option("--batch-size <n>", "images a step").argParser(count))
    .addOption(device())
    .addOption(threads())
    .addOption(json())
    .action(async (path, flags) => (await import("./commands/eval.js")).evaluate(io, path, flags));
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
    .action(async (path, images, flags) => (await import("./commands/predict.js")).predict(io, path, images, flags));
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
    .action(async (path, flags) => (await import("./commands/export.js")).exportModel(io, path, flags));
  program
    .command("convert")
    .description("rewrite weights in another format: .safetensors, .pth (.pt, .th) or .onnx")
    .argument("<in>", source)
    .argument("<out>", "file to write; its ending names the format")
    .addOption(new Option("--model <name>", "check the weights against this model and take its names; .onnx needs it"))
    .addOption(json())
    .action(async (from, to, flags) => (await import("./commands/convert.js")).convert(io, from, to, flags));
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
    .action(async (name, flags) => (await import("./commands/bench.js")).bench(io, name, flags));
}
