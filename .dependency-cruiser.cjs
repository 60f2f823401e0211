// Which package may import which: one way only. Tests are free; apps may use everything.
const layersAndFormats = ["core", "layers", "formats"];
const mayImport = {
  core: [],
  formats: ["core"],
  layers: ["core"],
  "kernels-webgpu": ["core"],
  "kernels-cuda-onnx": ["core", "formats"],
  zoo: layersAndFormats,
  training: layersAndFormats,
  inspect: layersAndFormats,
};

const test = "\\.test(-d)?\\.ts$";

const direction = Object.entries(mayImport).map(([name, others]) => ({
  name: `direction-${name}`,
  comment: `${name} may import ${others.join(", ") || "no other package"}. Only apps and tests name a device.`,
  severity: "error",
  from: { path: `^packages/${name}/src/`, pathNot: test },
  to: { path: "^(packages|apps)/", pathNot: `^packages/(${[name, ...others].join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...direction,
    {
      name: "every-package-has-a-direction",
      comment: "A new package needs a line in `mayImport` above.",
      severity: "error",
      from: { path: "^packages/", pathNot: `^packages/(${Object.keys(mayImport).join("|")})/` },
      to: {},
    },
    {
      name: "no-cycles",
      comment:
        "Cycles of types only are harmless: they are gone once compiled. Within core's ops, gradient rules call the other families' functions; nothing there runs while loading.",
      severity: "error",
      from: { pathNot: "^packages/core/src/ops/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "runs-anywhere",
      comment: "These run in browsers: what needs Node belongs in training/src/node, behind #runtime, or in the apps.",
      severity: "error",
      from: {
        path: "^packages/(core|formats|layers|zoo|training|inspect)/src/",
        pathNot: [test, "^packages/training/src/node/"],
      },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "resolvable",
      severity: "error",
      from: {},
      // Vite resolves addresses of files.
      to: { couldNotResolve: true, pathNot: "\\?url$" },
    },
    {
      name: "no-tests-in-sources",
      severity: "error",
      from: { pathNot: [test, "/test/", "/test-browser/"] },
      to: { path: test },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|node_modules/\\.cache)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@ocelli/source", "types", "node", "import", "default"],
    },
  },
};
