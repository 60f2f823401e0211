export { type Comparison, compareTensors } from "./compare.js";
export {
  type ConformanceCase,
  type ConformanceOptions,
  type ConformanceResult,
  type ConformanceTest,
  conformance,
  conformanceCases,
  conformanceTests,
  type Pass,
  runCase,
} from "./conformance.js";
export { randomSample } from "./fuzz.js";
export { checkGradient, type GradientCheck, type GradientCheckOptions } from "./gradient-check.js";
export { graphOf, lossOf, projection, type SampleGraph } from "./graph.js";
export { allSamples, type OpSample, type SampleTag, samples } from "./samples/index.js";
