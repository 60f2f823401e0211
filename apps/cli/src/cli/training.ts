import { type Command, Option } from "commander";
import { deviceNames } from "../device.js";
import type { Io } from "../io.js";
import { optimizerNames, scheduleNames } from "../recipe-names.js";
import {
  count,
  dataDir,
  device,
  json,
  limit,
  list,
  number,
  numbers,
  onBroken,
  positive,
  share,
  threads,
  workers,
} from "./options.js";

export function addTraining(program: Command, io: Io): void {
  const train = program
    .command("train")
    .description("train a model; Ctrl-C saves and stops")
    .argument("[model]", "a name from `ocelli list`");
  for (const [title, options] of Object.entries(trainOptions)) {
    for (const option of options()) train.addOption(option.helpGroup(`${title}:`));
  }
  train.action(async (name, flags) => (await import("../commands/train.js")).train(io, name, flags));
  program
    .command("recipes")
    .description("how the papers train: optimizer, schedule, augmentation")
    .argument("[name]", "one of them, in full")
    .addOption(json())
    .action(async (name, flags) => (await import("../commands/recipes.js")).showRecipes(io, name, flags));
  program
    .command("demo")
    .description("train LeNet-5 on built-in digits and show what it can do")
    .addOption(new Option("--epochs <n>", "passes over the data").argParser(count))
    .addOption(limit())
    .addOption(device())
    .addOption(threads())
    .option("--out <dir>", "folder of the run (default: a new one in runs/)")
    .action(async (flags) => (await import("../commands/demo.js")).demo(io, flags));
}

const whole = number({ integer: true, min: 0 });
const fraction = number({ min: 0, above: true, max: 1 });
const below1 = number({ min: 0, below: 1 });

/** The options of `train`, by the heading they stand under. */
const trainOptions: Readonly<Record<string, () => Option[]>> = {
  Data: () => [
    new Option(
      "--data <name|folder|list>",
      "digits (built in), mnist, fashion-mnist, cifar10, cifar100 (downloaded once), a folder with a subfolder of pictures for each class, or a CSV file of paths and labels",
    ),
    dataDir(),
    limit(),
    new Option("--size <pixels>", "pictures: side of the square that the model sees (default: the model's)").argParser(
      count,
    ),
    workers(),
    onBroken(),
    new Option("--validation <share>", "share of the training images kept apart to judge epochs by").argParser(
      number({ min: 0, above: true, below: 1 }),
    ),
  ],
  Recipe: () => [
    new Option("--recipe <name>", "another paper's, from `ocelli recipes` (default: the model's own)"),
    new Option("--epochs <n>", "passes over the data").argParser(count),
    new Option("--batch-size <n>", "images a step").argParser(count),
    new Option("--accumulate <n>", "batches whose gradients make one step").argParser(count),
    new Option("--optimizer <name>", "update rule").choices(optimizerNames),
    new Option("--lr <x>", "learning rate").argParser(positive),
    new Option("--momentum <x>", "momentum of sgd, rmsprop and lars").argParser(share),
    new Option("--weight-decay <x>", "L2 penalty; of adamw the decay itself").argParser(share),
    new Option("--decay <what>", "what decays: all, or weights without biases and norms").choices(["all", "weights"]),
  ],
  "Learning rate over time": () => [
    new Option("--schedule <name>", "its shape").choices(scheduleNames),
    new Option("--step-size <n>", "epochs of a step, or of a cycle's way up").argParser(positive),
    new Option("--milestones <list>", "epochs after which it falls, like 30,60").argParser(numbers),
    new Option("--patience <n>", "epochs without a better one before it falls").argParser(whole),
    new Option("--gamma <x>", "factor by which it falls").argParser(positive),
    new Option("--warmup <n>", "epochs in which it rises from 0").argParser(positive),
  ],
  Regularisation: () => [
    new Option("--augment <preset>", "what happens to the images (`ocelli augment` shows it), or none"),
    new Option("--mixup <alpha>", "mix pairs of images and labels").argParser(positive),
    new Option("--cutmix <alpha>", "paste a part of one image into another").argParser(positive),
    new Option("--label-smoothing <x>", "share of each label that is spread over all classes").argParser(below1),
    new Option("--class-weights <how>", "weights of the classes in the loss").choices(["balanced"]),
    new Option("--clip-norm <x>", "longest gradient, over all parameters").argParser(positive),
    new Option("--clip-value <x>", "largest element of a gradient").argParser(positive),
    new Option("--ema <decay>", "evaluate a running average of the parameters, like 0.999").argParser(below1),
    new Option("--swa <epoch>", "evaluate their average over the ends of this epoch and all later ones").argParser(
      count,
    ),
    new Option("--early-stop <n>", "end after so many epochs without a better one").argParser(count),
  ],
  Transfer: () => [
    new Option("--init-from <source>", "start from a run, a file of weights or published ones (resnet18)"),
    new Option("--head <what>", "new: a fresh classifier for the data's classes").choices(["new"]),
    new Option("--freeze <pattern...>", 'parameters that stay as they are, like "features.*"').argParser(list),
    new Option("--layer-decay <x>", "learning rate of each layer, as a factor on that of the next").argParser(fraction),
  ],
  Run: () => [
    new Option("--seed <n>", "names all chance of the run (default: 0)").argParser(whole),
    new Option("--device <name>", "what to run on (default: auto)").choices(deviceNames),
    threads(),
    new Option(
      "--recompute <what...>",
      "save memory: modules whose results are made again in the backward pass, or a budget like 800MB",
    ).argParser(list),
    new Option("--statistics", "log gradients and activations of every layer, too"),
    new Option("--log-every <n>", "steps between two lines of the log").argParser(count),
    new Option("--out <dir>", "folder of the run (default: a new one in runs/)"),
    new Option("--resume <dir>", "go on with the run in this folder"),
    json(),
  ],
};
