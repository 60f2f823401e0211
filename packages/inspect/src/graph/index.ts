export { sceneOf } from "./layout.js";
export {
  type BoxKind,
  type GraphBox,
  type GraphEdge,
  type ModelGraph,
  type ModelGraphOptions,
  modelGraph,
} from "./model-graph.js";
export { arrangementOf, type OpenOptions, openBlocks } from "./open.js";
export { type GraphPictureOptions, graphHtml, graphSvg } from "./render.js";
export type { Arrangement, Plan, PlanEdge, PlanNode, Scene, SceneBox } from "./scene.js";
export { boxLooks, type Look, legend } from "./style.js";
