import { lowering } from "./lowering.js";

const gridSample2d = lowering((b, node, inputs) => {
  const { paddingMode, alignCorners } = node.attrs as { paddingMode: string; alignCorners: boolean };
  return [b.node("GridSample", inputs, { mode: "bilinear", padding_mode: paddingMode, align_corners: alignCorners })];
});

export const sampleLowerings = { gridSample2d };
