import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { fails, ocelli, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();

describe("help", () => {
  it("is what comes without a command", async () => {
    const out = await succeed([]);
    for (const command of ["list", "summary", "doctor", "train", "eval", "predict", "export", "bench", "demo"]) {
      expect(out).toMatch(new RegExp(`^  ${command} `, "m"));
    }
  });

  it("names every option of train", async () => {
    const out = await succeed(["train", "--help"]);
    const options =
      "data data-dir epochs batch-size optimizer lr momentum weight-decay seed device threads out resume json";
    for (const option of options.split(" ")) expect(out).toContain(`--${option}`);
  });

  it("prints the version", async () => {
    expect(await succeed(["--version"])).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("wrong usage exits with 2 and says what is right", () => {
  const cases: readonly (readonly [args: string, message: RegExp])[] = [
    ["trian", /unknown command 'trian'\n\(Did you mean train\?\)/],
    ["train", /needs a model/],
    ["train lenet5_modern", /needs --data/],
    ["train lenet5_modren --data digits", /"lenet5_modren" is unknown. Did you mean lenet5_modern\?/],
    ["train lenet5_modern --data mnst", /no such file or folder; did you mean mnist\? It takes digits, mnist/],
    ["train lenet5_modern --data digits --epocs 3", /Did you mean --epochs\?/],
    ["train lenet5_modern --data digits --epochs 1.5", /a whole number, 1 or more/],
    ["train lenet5_modern --data digits --batch-size 0", /a whole number, 1 or more/],
    ["train lenet5_modern --data digits --lr fast", /a number above 0/],
    ["train lenet5_modern --data digits --lr -1", /a number above 0/],
    ["train lenet5_modern --data digits --device gpu", /Allowed choices are auto, onnx-cpu/],
    ["train lenet5_modern --data digits --limit 20 --batch-size 21", /only 20 training images/],
    ["train lenet5_modern --data digits --limit 9 --optimizer adam --momentum 0.9", /--momentum is an option of sgd/],
    ["train lenet5_modern --data digits --limit 9 --schedule step", /needs --step-size/],
    ["train lenet5_modern --data digits --recipe alexnett", /"alexnett" is unknown. Did you mean alexnet/],
    ["train lenet5_modern --data digits --augment cifer", /"cifer" is unknown. Did you mean cifar/],
    ["train lenet5_modern --data digits --schedule cosin", /Allowed choices are constant, step, multi-step/],
    ["train lenet5_modern --data digits --milestones 3,x", /needs a number/],
    ["train lenet5_modern --data digits --schedule cosine --patience 3", /cosine does not take --patience/],
    ["train lenet5_modern --data nowhere --freeze nothing*", /freeze: "nothing\*" fits no name of the model/],
    ["train lenet5_modern --data nowhere --recompute foo", /LeNet5Modern has no module "foo"/],
    ["train lenet5_modern --data digits --size 20 --workers 2", /--size and --workers: for files of pictures; digits/],
    ["train lenet5_modern --data digits --head new", /--head new is for --init-from/],
    [
      "train lenet5 --data nowhere --label-smoothing 0.1",
      /--label-smoothing 0\.1: for cross-entropy; lenet5 trains with the loss of its RBF output layer/,
    ],
    ["train lenet1 --data nowhere --class-weights balanced", /--class-weights balanced: for cross-entropy; lenet1/],
    ["train lenet5 --data nowhere --recipe inception-v3", /inception-v3 smooths labels \(--label-smoothing 0/],
    ["train googlenet --data nowhere --label-smoothing 0.1", /no such file or folder/],
    ["train lenet5_modern --data digits --swa 0", /a whole number, 1 or more/],
    ["train lenet5_modern --data digits --ema 1", /0 or more and below 1/],
    ["train lenet5_modern --data digits --clip-norm 1 --clip-value 1", /--clip-norm and --clip-value/],
    ["summary lenet5_modern --input 28x28", /like 1x28x28/],
    ["summary lenet5_modern --json --csv", /cannot be used with/],
    ["summary nothing", /"nothing" is unknown/],
    ["bench", /missing required argument 'model'/],
    ["bench lenet5_modern --mode test", /Allowed choices are train, infer/],
    ["bench lenet5_moderm", /Did you mean lenet5_modern/],
    ["bench lenet5_modern --profile", /--profile is for --device webgpu; --device auto does not/],
    ["bench lenet5_modern --device reference --profile x.json", /--profile is for --device webgpu; --device reference/],
    ["bench --profile lenet5_modern", /missing required argument 'model'/],
    ["predict somewhere", /missing required argument/],
    ["export somewhere -o x", /'--to <format>' not specified/],
    ["export somewhere --to pt -o x", /Allowed choices are onnx, safetensors/],
  ];
  it.each(cases)("ocelli %s", async (args, message) => {
    expect(await fails(2, args.split(" "))).toMatch(message);
  });
});

describe("failures exit with 1 and name what failed", () => {
  it("a file or folder that is not there", async () => {
    expect(await fails(1, ["eval", "nowhere"])).toBe("error: nowhere: no such file or folder\n");
  });

  it("a folder that is no run", async () => {
    expect(await fails(1, ["eval", folder])).toMatch(/is not a run: it has no readable run\.json/);
  });

  it("a damaged run", async () => {
    const run = join(folder, "damaged");
    mkdirSync(run);
    writeFileSync(join(run, "run.json"), "{");
    expect(await fails(1, ["eval", run])).toMatch(/run\.json: not JSON/);
  });

  it("weights that are none", async () => {
    const file = join(folder, "weights.safetensors");
    writeFileSync(file, "these are no weights at all");
    expect(await fails(1, ["eval", file, "--data", "digits"])).toContain(file);
  });

  it("data that are not there", async () => {
    const err = await fails(1, ["train", "lenet5_modern", "--data", "mnist", "--data-dir", folder]);
    expect(err).toContain("train-images-idx3-ubyte");
    expect(err).toContain("--data-dir");
  });

  it("a run.json that somebody changed", async () => {
    const run = join(folder, "odd");
    mkdirSync(run);
    const rest = { data: {}, optimizer: {}, schedule: {}, epochs: 1, batchSize: 1, seed: 0, device: {} };
    const odd = { format: "ocelli-run-1", model: null, classes: [], image: [1, 28, -1], transform: {}, ...rest };
    writeFileSync(join(run, "run.json"), JSON.stringify(odd));
    const message = /run\.json: not what ocelli writes in model, options, image, transform/;
    expect(await fails(1, ["eval", run])).toMatch(message);
    expect(await fails(1, ["train", "--resume", run])).toMatch(message);
  });

  it("a device whose package is not installed", async () => {
    vi.doMock("webgpu", () => {
      throw new Error("Cannot find package 'webgpu'");
    });
    expect(await fails(1, ["bench", "lenet5_modern", "--device", "webgpu"])).toMatch(/npm install webgpu\n$/);
    vi.doUnmock("webgpu");
  });

  it("shows where it happened with OCELLI_DEBUG only", async () => {
    const debug = await ocelli(["eval", "nowhere"], { env: { OCELLI_DEBUG: "1" } });
    expect(debug.err).toMatch(/^error: nowhere: no such file or folder\nError: ENOENT/);
  });
});
