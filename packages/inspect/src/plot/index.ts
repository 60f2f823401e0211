export { type BubbleDrawing, bubbles } from "./bubbles.js";
export { type Drawing, familyColours, type Look } from "./chart.js";
export { layers as layerBars } from "./layers.js";
export { comparisonHtml, comparisonSvg } from "./page.js";
