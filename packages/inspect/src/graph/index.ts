export {
  type BoxKind,
  type GraphBox,
  type GraphEdge,
  type ModelGraph,
  type ModelGraphOptions,
  modelGraph,
} from "./model-graph.js";
export { type GraphPictureOptions, graphHtml, graphSvg } from "./render.js";
