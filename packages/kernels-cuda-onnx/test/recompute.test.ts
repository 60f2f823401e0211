import { reference } from "@ocelli/core/reference";
import { expect, it } from "vitest";
import { bothWays, distance } from "../../core/test/recomputed.js";
import { onnx } from "../src/index.js";

it("recomputes to the same gradients, dropout included, as it does without and as the float64 reference", async () => {
  const [device, oracle] = [await onnx({ provider: "cpu" }), await reference()];
  const [{ kept, recomputed }, wanted] = [await bothWays(device), await bothWays(oracle)];
  await Promise.all([device.dispose(), oracle.dispose()]);
  expect(recomputed.nodes).toBeGreaterThan(kept.nodes + 10);
  expect(wanted.recomputed.values).toEqual(wanted.kept.values);
  expect(distance(recomputed.values, kept.values)).toBeLessThan(1e-5);
  expect(distance(recomputed.values, wanted.kept.values)).toBeLessThan(1e-4);
});
