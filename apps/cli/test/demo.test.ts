import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { drawPictures } from "../src/drawing.js";
import { fails, ocelli, succeed, temporaryFolder } from "./harness.js";

const folder = temporaryFolder();

describe("demo", { timeout: 60_000 }, () => {
  it("trains, saves, exports, draws and says what is next", async () => {
    const out = join(folder, "demo");
    const args = ["demo", "--limit", "320", "--epochs", "1", "--device", "onnx-cpu", "--out", out];
    const text = await succeed(args, { env: { LANG: "C.UTF-8" } });
    for (const file of ["last.safetensors", "model.onnx", "digit.png", "run.json"])
      expect(existsSync(join(out, file))).toBe(true);
    expect(text).toMatch(/^test accuracy +\d/m);
    expect(text).toMatch(/[▀▄█]/);
    // What it suggests works.
    const command = /^ {2}ocelli (predict .*?) {3}/m.exec(text)?.[1] as string;
    expect((await ocelli(command.split(" "))).code).toBe(0);
  });

  it("does not touch a folder that holds something", async () => {
    expect(await fails(1, ["demo", "--limit", "64", "--out", join(folder, "demo")])).toContain("holds a run already");
  });
});

describe("drawPictures", () => {
  const pixels = Uint8Array.from([255, 0, 0, 0, 255, 0, 0, 255, 255]);
  const io = (env: Record<string, string>) => ({ env, stdout: { columns: 80 } }) as never;

  it("puts two rows into a line", () => {
    expect(drawPictures(io({ LANG: "en_US.UTF-8" }), [{ pixels, width: 3, height: 3 }], ["x"])).toEqual([
      "  ▀▄",
      "   ▀▀",
      "",
      "   x",
    ]);
  });

  it("uses ASCII where nothing else is known to work", () => {
    const lines = drawPictures(io({}), [{ pixels, width: 3, height: 3 }], ["x"]);
    if (process.platform !== "win32") expect(lines.join("\n")).toMatch(/^[\x20-\x7e\n]*$/);
  });
});
