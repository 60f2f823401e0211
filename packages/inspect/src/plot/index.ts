export { comparisonHtml, comparisonSvg } from "./page.js";
