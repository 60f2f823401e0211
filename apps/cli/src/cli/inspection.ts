import { type Command, Option } from "commander";
import { deviceNames } from "../device.js";
import type { Io } from "../io.js";
import { count, json, number, shape } from "./options.js";

export function addInspection(program: Command, io: Io): void {
  program
    .command("list")
    .description("all models, each with its input, parameters and paper")
    .addOption(json())
    .action(async (flags) => (await import("../commands/list.js")).list(io, flags));
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
    .action(async (name, flags) => (await import("../commands/summary.js")).summary(io, name, flags));
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
    .action(async (names, flags) => (await import("../commands/compare.js")).compare(io, names, flags));
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
    .action(async (name, flags) => (await import("../commands/graph.js")).graph(io, name, flags));
  program
    .command("doctor")
    .description("what there is to run on, and what is missing")
    .addOption(json())
    .addOption(new Option("--probe <device>", "try one device").choices(deviceNames).hideHelp())
    .action(async (flags) => (await import("../commands/doctor.js")).doctor(io, flags));
}
