import { expect, it } from "vitest";
import { figure, short } from "./format.js";

it("writes counts short where they are large", () => {
  expect(short(271_351_808)).toBe("271 M");
  expect(short(16_384)).toBe("16,384");
  expect(short(2_466_250_752)).toBe("2.47 G");
});

it("writes figures with three digits, small and large ones as powers", () => {
  expect(figure(0.59333)).toBe("0.593");
  expect(figure(4.5e-15)).toBe("4.5\u00a0×\u00a010⁻¹⁵");
  expect(figure(-123_456)).toBe("-1.2\u00a0×\u00a010⁵");
  expect(figure(0)).toBe("0");
  expect(figure(null)).toBe("none");
});
