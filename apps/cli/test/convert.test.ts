import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sizeOf } from "@ocelli/core";
import {
  type FileTensor,
  fromHostTensor,
  readPyTorch,
  readSafetensors,
  stateDictOf,
  writePyTorch,
  writeSafetensors,
} from "@ocelli/formats";
import { GraphBuilder } from "@ocelli/formats/onnx";
import { flattenStateDict, inventory } from "@ocelli/layers";
import { RunDirectory } from "@ocelli/training/node";
import { createModel } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { fails, ocelli, single, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();
/** Not a Buffer, which is equal to no Uint8Array. */
const bytesOf = (file: string): Uint8Array => new Uint8Array(readFileSync(file));
/** Quicker than `toEqual` for a MiB. */
const haveSameBytes = (a: string, b: string): boolean => readFileSync(a).equals(readFileSync(b));
const path = (name: string): string => join(folder, name);
const onDigits = ["--data", "digits", "--limit", "50", "--device", "onnx-cpu", "--threads", "1", "--json"];

const model = createModel("lenet5_modern");
const values = flattenStateDict(model, model.initialState({ seed: 3 }));
const state = new Map<string, FileTensor>(Object.entries(values).map(([name, host]) => [name, fromHostTensor(host)]));
const counter: FileTensor = { dtype: "I64", shape: [], bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0) };
const half: FileTensor = { dtype: "F16", shape: [2], bytes: Uint8Array.of(0, 0x3c, 0, 0x40) };
const mixed = new Map([
  ["bn.num_batches_tracked", counter],
  ["w", half],
]);

writeFileSync(path("lenet.pth"), writePyTorch([...state].map(([name, tensor]) => [`module.${name}`, tensor] as const)));
writeFileSync(path("mixed.safetensors"), writeSafetensors(mixed, { author: "me" }));

describe("convert", () => {
  it("between safetensors and PyTorch keeps dtypes, bits, order and text", async () => {
    const result = single(await succeed(["convert", path("mixed.safetensors"), path("mixed.pt"), "--json"]));
    expect(result).toEqual({
      file: path("mixed.pt"),
      format: "pytorch",
      bytes: bytesOf(path("mixed.pt")).length,
      from: path("mixed.safetensors"),
      tensors: 2,
      values: 3,
      dtypes: ["I64", "F16"],
    });
    expect([...stateDictOf(readPyTorch(bytesOf(path("mixed.pt"))))]).toEqual([...mixed]);
    const out = await succeed(["convert", path("mixed.pt"), path("back.safetensors")]);
    expect(out).toMatch(/^tensors +2 \(I64 and F16\), 3 values$/m);
    expect([...readSafetensors(bytesOf(path("back.safetensors"))).tensors]).toEqual([...mixed]);
    await succeed(["convert", path("mixed.safetensors"), path("again.safetensors")]);
    expect(readSafetensors(bytesOf(path("again.safetensors"))).metadata).toEqual({ author: "me", format: "pt" });
  });

  it("to ONNX needs a model, and the file says then what it is", async () => {
    expect(await fails(2, ["convert", path("lenet.pth"), path("no.onnx")])).toContain("--model");
    expect(existsSync(path("no.onnx"))).toBe(false);
    const made = single(
      await succeed(["convert", path("lenet.pth"), path("l.onnx"), "--model", "lenet5_modern", "--json"]),
    );
    expect(made).toMatchObject({ format: "onnx", dtypes: expect.arrayContaining(["F32"]) });
    await succeed(["convert", path("l.onnx"), path("l.safetensors"), "--model", "lenet5_modern"]);
    const { tensors } = readSafetensors(bytesOf(path("l.safetensors")));
    expect([...tensors.keys()].sort()).toEqual([...state.keys()].sort());
    for (const [name, tensor] of tensors) expect([name, tensor]).toEqual([name, state.get(name)]);
  });

  it("with a model, checks the weights and gives them its names", async () => {
    const { slots } = inventory(createModel("densenet121"));
    const old = [...slots].map(([name, { shape }]): [string, FileTensor] => [
      name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, "$1.$2"),
      { dtype: "F16", shape, bytes: new Uint8Array(2 * sizeOf(shape)) },
    ]);
    // PyTorch counts in integers.
    const dense = old
      .map(([name, tensor]): [string, FileTensor] => (name.endsWith("tracked") ? [name, counter] : [name, tensor]))
      .filter(([name]) => !name.endsWith("tracked"));
    writeFileSync(path("dense.pth"), writePyTorch(dense));
    expect(dense.some(([name]) => name.includes("norm.1."))).toBe(true);
    await succeed(["convert", path("dense.pth"), path("dense.safetensors"), "--model", "densenet121"]);
    const names = [...readSafetensors(bytesOf(path("dense.safetensors"))).tensors.keys()];
    expect(names).toEqual([...slots.keys()].filter((name) => !name.endsWith("tracked")));
    const err = await fails(1, ["convert", path("lenet.pth"), path("x.safetensors"), "--model", "densenet121"]);
    expect(err).toContain(path("lenet.pth"));
    expect(err).toMatch(/missing \(\d+\):\n( {4}.*\n){10} {4}and \d+ more\n/);
    expect(err.split("\n").length).toBeLessThan(40);
    expect(existsSync(path("x.safetensors"))).toBe(false);
  });

  it("warns of values that are not finite and names the first tensor", async () => {
    const bad = new Map(mixed).set("z", { dtype: "BF16", shape: [2], bytes: Uint8Array.of(0, 0, 0x80, 0xff) });
    writeFileSync(path("bad.safetensors"), writeSafetensors(bad));
    const { code, err } = await ocelli(["convert", path("bad.safetensors"), path("bad.pth")]);
    expect(code).toBe(0);
    expect(err).toBe(`note: ${path("bad.safetensors")}: z holds values that are not finite (NaN or infinity)\n`);
    expect([...stateDictOf(readPyTorch(bytesOf(path("bad.pth"))))]).toEqual([...bad]);
  });

  it("leaves out initializers that no weights file holds, and says so", async () => {
    const b = new GraphBuilder();
    b.initializer({ name: "", dtype: "string", shape: [1], bytes: new Uint8Array(0), strings: ["cat"] }, "classes");
    const w = b.initializer({ name: "", dtype: "int64", shape: [], bytes: counter.bytes }, "w");
    b.output("y", b.node("Identity", [w]), { dtype: "int64", shape: [] });
    writeFileSync(path("s.onnx"), b.encode());
    const { code, err } = await ocelli(["convert", path("s.onnx"), path("s.pth")]);
    expect(code).toBe(0);
    expect(err).toContain('left out 1 initializers that are no plain numbers, first "classes"');
    expect([...stateDictOf(readPyTorch(bytesOf(path("s.pth"))))]).toEqual([["w", counter]]);
  });

  it("refuses what it cannot do before it writes", async () => {
    const from = path("mixed.safetensors");
    expect(await fails(2, ["convert", from, path("x.bin")])).toContain("the ending names the format: .safetensors");
    writeFileSync(path("x.bin"), "");
    expect(await fails(2, ["convert", path("x.bin"), path("x.pth")])).toContain("x.bin");
    expect(await fails(2, ["convert", from, from])).toContain("the very file");
    expect(await fails(1, ["convert", folder, path("x.pth")])).toContain("is not a run");
    expect(await fails(2, ["convert", from, path("no/x.pth")])).toContain("there is no folder");
    expect(await fails(2, ["convert", from, path("x.pth"), "--model", "lenet55"])).toContain("lenet5");
    expect(await fails(1, ["convert", path("none.pth"), path("x.pth")])).toContain("no such file");
    writeFileSync(path("cut.pth"), bytesOf(path("lenet.pth")).subarray(0, 1000));
    expect(await fails(1, ["convert", path("cut.pth"), path("x.pth")])).toContain(
      "cut.pth: the file begins as a zip archive",
    );
    expect(existsSync(path("x.pth"))).toBe(false);
  });
});

/** A run of a network with buffers, as `train` leaves it: the optimizer's state lies beside the model's. */
async function makeRun(out: string): Promise<{ readonly names: string[]; readonly file: string }> {
  const net = createModel("resnet20_cifar");
  const values = net.initialState({ seed: 4 });
  const run = await RunDirectory.create(out, {
    format: "ocelli-run-1",
    model: { name: "resnet20_cifar", options: { numClasses: 10, inChannels: 3 } },
    data: { name: "cifar10", dir: null },
    classes: [..."abcdefghij"],
    image: [3, 32, 32],
    optimizer: { name: "sgd", options: {} },
    schedule: { name: "constant", options: {} },
    transform: { name: "normalize", options: { mean: [0.5, 0.4, 0.3], std: [0.25, 0.2, 0.1] } },
    epochs: 1,
    batchSize: 4,
    seed: 4,
    device: { name: "onnx-cpu", threads: 1 },
  });
  const progress = { epoch: 1, batch: 0, step: 9, lossSum: 0, accuracySum: 0, history: [] };
  await run.save("best", { ...values, momentum: values.params ?? {} }, progress);
  return { names: Object.keys(flattenStateDict(net, values)), file: run.checkpointPath("best") };
}

describe("a training's checkpoint", () => {
  it("becomes the model's state_dict, in PyTorch's names, order and dtypes", async () => {
    const { names, file } = await makeRun(path("run"));
    await succeed(["convert", path("run"), path("run.safetensors")]);
    await succeed(["export", path("run"), "--to", "safetensors", "-o", path("exported.safetensors")]);
    const converted = readSafetensors(bytesOf(path("run.safetensors")));
    expect([...converted.tensors.keys()]).toEqual(names);
    expect(haveSameBytes(path("run.safetensors"), path("exported.safetensors"))).toBe(true);
    expect(converted.tensors.get("bn1.num_batches_tracked")).toMatchObject({ dtype: "I64", shape: [] });

    const { code, err } = await ocelli(["convert", file, path("run.pth")]);
    expect([code, err]).toEqual([
      0,
      `note: ${path("run.pth")} does not say its model, classes and normalisation; it will need --model resnet20_cifar\n`,
    ]);
    await succeed(["export", path("run"), "--to", "pth", "-o", path("exported.pth")]);
    expect(haveSameBytes(path("run.pth"), path("exported.pth"))).toBe(true);
    expect([...stateDictOf(readPyTorch(bytesOf(path("run.pth")))).keys()]).toEqual(names);
    expect(await fails(2, ["convert", path("run"), file])).toContain("the very file");
  });

  it("is one also without its run", async () => {
    const { names, file } = await makeRun(path("lost"));
    copyFileSync(file, path("alone.safetensors"));
    expect((await ocelli(["convert", path("alone.safetensors"), path("alone.pth")])).err).toBe("");
    expect([...stateDictOf(readPyTorch(bytesOf(path("alone.pth")))).keys()].sort()).toEqual([...names].sort());
    await succeed(["convert", path("alone.safetensors"), path("named.safetensors"), "--model", "resnet20_cifar"]);
    const { tensors, metadata } = readSafetensors(bytesOf(path("named.safetensors")));
    expect([...tensors.keys()]).toEqual(names);
    expect(Object.keys(metadata).sort()).toEqual(["classes", "format", "input", "ocelli"]);
  });
});

describe("export to PyTorch", () => {
  it("writes what convert does, and wants an ending of the format", async () => {
    const args = ["export", path("lenet.pth"), "--model", "lenet5_modern", "--to"];
    await succeed([...args, "pth", "-o", path("made.pt")]);
    expect([...stateDictOf(readPyTorch(bytesOf(path("made.pt"))))]).toEqual([...state]);
    expect(await fails(2, [...args, "onnx", "-o", path("wrong.safetensors")])).toContain(
      "another format than --to onnx",
    );
    expect(await fails(2, [...args, "pth", "-o", path("wrong.onnx")])).toContain("another format than --to pth");
    expect(existsSync(path("wrong.safetensors"))).toBe(false);
  });
});

describe("a model's name", () => {
  it("stays with the weights", async () => {
    await succeed(["convert", path("lenet.pth"), path("knows.safetensors"), "--model", "lenet5_modern"]);
    const expected = await succeed(["eval", path("lenet.pth"), "--model", "lenet5_modern", ...onDigits]);
    expect(await succeed(["eval", path("knows.safetensors"), ...onDigits])).toBe(expected);
    expect((await ocelli(["convert", path("knows.safetensors"), path("forgets.pth")])).err).toContain(
      "it will need --model lenet5_modern",
    );
  });

  it("is suggested where names and shapes fit", async () => {
    // Shortcuts without weights: both have the same state.
    const net = createModel("resnet20_cifar", { numClasses: 7 });
    const flat = Object.entries(flattenStateDict(net, net.initialState({ seed: 1 })));
    writeFileSync(path("seven.pth"), writePyTorch(flat.map(([name, host]) => [name, fromHostTensor(host)] as const)));
    const err = await fails(2, ["eval", path("seven.pth"), ...onDigits]);
    expect(err).toMatch(
      /Name it with --model: its tensors fit plain20_cifar or resnet20_cifar\.\n {2}`ocelli list` shows all \d+\.\n$/,
    );
    expect(await fails(2, ["eval", path("mixed.safetensors"), ...onDigits])).toMatch(
      /Name it with --model\.\n {2}`ocelli list` shows all \d+\.\n$/,
    );
  });

  it("is not a path, and not a long list", async () => {
    expect(await fails(2, ["summary", "nothing"])).toMatch(
      /^error: model: "nothing" is unknown\.\n {2}`ocelli list` shows all \d+\.\n$/,
    );
    expect(await fails(2, ["summary", path("lenet.pth")])).toContain("is a file or a folder; a model's name is needed");
  });
});

describe("PyTorch files", () => {
  it("that hold several dictionaries: the note says which was read", async () => {
    // Made by fixtures/net-and-ema.py with PyTorch.
    const file = path("both.pth");
    copyFileSync(new URL("./fixtures/net-and-ema.pth", import.meta.url), file);
    const { code, err } = await ocelli(["convert", file, path("both.safetensors")]);
    expect([code, err]).toEqual([
      0,
      `note: ${file}: the weights are those of "net"; "ema" holds tensors too. To use another, save it alone.\n`,
    ]);
    const { tensors } = readSafetensors(bytesOf(path("both.safetensors")));
    expect(tensors.get("a")?.bytes).toEqual(new Uint8Array(Float32Array.of(1, 2).buffer));
  });

  it("that are safetensors by another name are called so", async () => {
    copyFileSync(path("mixed.safetensors"), path("renamed.pth"));
    expect(await fails(1, ["convert", path("renamed.pth"), path("x.safetensors")])).toContain(
      "renamed.pth: looks like a safetensors file",
    );
  });
});

describe("weights of other formats", () => {
  it("are evaluated as safetensors are", async () => {
    writeFileSync(path("own.safetensors"), writeSafetensors(state));
    const args = ["--model", "lenet5_modern", ...onDigits];
    const expected = await succeed(["eval", path("own.safetensors"), ...args]);
    expect(await succeed(["eval", path("lenet.pth"), ...args])).toBe(expected);
    await succeed(["export", path("lenet.pth"), "--to", "onnx", "-o", path("own.onnx"), "--model", "lenet5_modern"]);
    expect(await succeed(["eval", path("own.onnx"), ...args])).toBe(expected);
  });

  it("are named in a note when they are not finite", async () => {
    const [name, tensor] = [...state][0] as [string, FileTensor];
    const bytes = tensor.bytes.slice();
    bytes.set([0, 0, 0x80, 0x7f]);
    writeFileSync(path("inf.pth"), writePyTorch(new Map(state).set(name, { ...tensor, bytes })));
    const { code, err } = await ocelli(["eval", path("inf.pth"), "--model", "lenet5_modern", ...onDigits]);
    expect(code).toBe(1);
    expect(err).toContain(`inf.pth: ${name} holds values that are not finite`);
  });
});
