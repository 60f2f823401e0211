// What a program downloads, minified and gzipped.
const program = (name, path, limit, { later = [] } = {}) => ({
  name,
  path,
  limit,
  gzip: true,
  modifyEsbuildConfig: (config) => ({
    ...config,
    conditions: ["@ocelli/source"],
    platform: "browser",
    // Chunks of their own, which are loaded when they are asked for.
    external: later,
  }),
});

export default [
  program("LeNet-5 and its gradient (core + layers)", "scripts/size/lenet5.ts", "25 KB"),
  program("ResNet-18 as a description (zoo)", "scripts/size/resnet.ts", "16 KB"),
  program("All models of the zoo", "scripts/size/zoo.ts", "42 KB"),
  program(
    "Train LeNet-5 on WebGPU (core + layers + training + kernels-webgpu)",
    "scripts/size/lenet5-webgpu.ts",
    "62 KB",
    { later: ["*/profile.js", "*/own-ops.js"] },
  ),
];
