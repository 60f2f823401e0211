export type WeightsFormat = "safetensors" | "pytorch" | "onnx";

export const weightsFormats: Readonly<Record<string, WeightsFormat>> = {
  safetensors: "safetensors",
  pth: "pytorch",
  pt: "pytorch",
  th: "pytorch",
  onnx: "onnx",
};

/** Endings of files that hold weights: for messages, and for a file dialogue. */
export const weightsEndings = Object.keys(weightsFormats).map((ending) => `.${ending}`);
