import { existsSync, readFileSync, writeFileSync } from "node:fs";
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
import { createModel } from "@ocelli/zoo";
import { describe, expect, it } from "vitest";
import { fails, ocelli, single, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();
/** Not a Buffer, which is equal to no Uint8Array. */
const bytesOf = (file: string): Uint8Array => new Uint8Array(readFileSync(file));
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
    expect(await fails(2, ["convert", folder, path("x.pth")])).toContain("ocelli export");
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

describe("weights of other formats", () => {
  it("are evaluated as safetensors are", async () => {
    writeFileSync(path("own.safetensors"), writeSafetensors(state));
    const args = ["--model", "lenet5_modern", ...onDigits];
    const expected = await succeed(["eval", path("own.safetensors"), ...args]);
    expect(await succeed(["eval", path("lenet.pth"), ...args])).toBe(expected);
    await succeed(["export", path("lenet.pth"), "--to", "onnx", "-o", path("own.onnx"), "--model", "lenet5_modern"]);
    expect(await succeed(["eval", path("own.onnx"), ...args])).toBe(expected);
  });

  it("are used although they are not finite, with a note", async () => {
    const [name, tensor] = [...state][0] as [string, FileTensor];
    const bytes = tensor.bytes.slice();
    bytes.set([0, 0, 0x80, 0x7f]);
    writeFileSync(path("inf.pth"), writePyTorch(new Map(state).set(name, { ...tensor, bytes })));
    const { code, err } = await ocelli(["eval", path("inf.pth"), "--model", "lenet5_modern", ...onDigits]);
    expect(code).toBe(0);
    expect(err).toContain(`inf.pth: ${name} holds values that are not finite`);
  });
});
