// Run by `npm run test:packages` in a fresh project, on the packed tarballs.
import * as core from "@ocelli/core";
import * as backend from "@ocelli/core/backend";
import * as reference from "@ocelli/core/reference";
import * as testing from "@ocelli/core/testing";
import * as formats from "@ocelli/formats";
import * as onnx from "@ocelli/formats/onnx";
import * as inspect from "@ocelli/inspect";
import * as kernels from "@ocelli/kernels-cuda-onnx";
import * as webgpu from "@ocelli/kernels-webgpu";
import * as layers from "@ocelli/layers";
import * as training from "@ocelli/training";
import * as trainingNode from "@ocelli/training/node";
import * as trainingWeb from "@ocelli/training/web";
import * as zoo from "@ocelli/zoo";

const modules = {
  core,
  backend,
  reference,
  testing,
  formats,
  onnx,
  inspect,
  kernels,
  layers,
  training,
  trainingNode,
  trainingWeb,
  webgpu,
  zoo,
};
for (const [name, module] of Object.entries(modules)) {
  console.log(`${name}: ${Object.keys(module).length} exports`);
}
