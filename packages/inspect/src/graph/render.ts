import { formatCount } from "../format.js";
import { escapeMarkup, jsonForScript } from "../markup.js";
import { arrange } from "./arrange.js";
import { draw } from "./draw.js";
import { sceneOf } from "./layout.js";
import type { ModelGraph } from "./model-graph.js";
import { openBlocks } from "./open.js";
import { place } from "./place.js";
import type { Arrangement, Scene } from "./scene.js";
import { legend, styleSheet } from "./style.js";

export interface GraphPictureOptions {
  /** How many levels of blocks are open: 0 shows the outermost closed. Default: as many as stay under 90 boxes. */
  readonly depth?: number;
  /** Default: the graph's name. */
  readonly title?: string;
}

/**
 * A model's graph as an SVG file: layers as boxes, from top to bottom, the shapes beside the arrows, branches side by side. It is
 * readable on light and on dark ground, as the reader's system has it.
 */
export function graphSvg(graph: ModelGraph, { depth, title = graph.name }: GraphPictureOptions = {}): string {
  const scene = sceneOf(graph);
  const arrangement = arrange(scene, openBlocks(graph, { depth }), place);
  return `${svgElement(scene, arrangement, { title, description: describe(graph), alive: false })}\n`;
}

/**
 * A page with a model's graph, whose blocks open and close at a click. It is one file and needs no network; without scripts it shows
 * what `graphSvg` shows.
 */
export function graphHtml(graph: ModelGraph, { depth, title = graph.name }: GraphPictureOptions = {}): string {
  const scene = sceneOf(graph);
  const open = openBlocks(graph, { depth });
  const description = describe(graph);
  const picture = svgElement(scene, arrange(scene, open, place), { title, description, alive: true });
  const keys = legend
    .map(
      ([kind, name]) =>
        `<li><svg width="16" height="16" class="box ${kind}"><rect x="1" y="1" width="14" height="14" rx="4"/></svg>${name}</li>`,
    )
    .join("");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${pageStyle}${styleSheet}</style>
<header>
<h1>${escapeMarkup(title)}</h1>
<p>${escapeMarkup(description)}</p>
<p class="bar"><button type="button" id="all">Open all blocks</button> <button type="button" id="none">Close all</button> <span>Click a block to open or close it.</span></p>
<ul>${keys}</ul>
</header>
<main>${picture}</main>
<script>
"use strict";
const __name = (value) => value;
const arrange = ${arrange.toString()};
const place = ${place.toString()};
const draw = ${draw.toString()};
(${runPage.toString()})(${jsonForScript({ scene, open })}, (scene, open) => arrange(scene, open, place), draw);
</script>
</html>
`;
}

interface Picture {
  readonly title: string;
  readonly description: string;
  /** In a page, whose script opens and closes blocks. */
  readonly alive: boolean;
}

function svgElement(scene: Scene, arrangement: Arrangement, { title, description, alive }: Picture): string {
  const [width, height] = [Math.ceil(arrangement.width), Math.ceil(arrangement.height)];
  return `<svg xmlns="http://www.w3.org/2000/svg" class="graph" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="graph-title graph-about">
<title id="graph-title">${escapeMarkup(title)}</title>
<desc id="graph-about">${escapeMarkup(description)}</desc>
<style>${styleSheet}</style>
<defs><marker id="head" class="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0.5L8 4L0 7.5Z"/></marker></defs>
<rect class="ground" width="100%" height="100%"/>
<g id="graph">${draw(scene, arrangement, alive)}</g>
</svg>`;
}

function describe({ boxes, input }: ModelGraph): string {
  const layers = boxes.filter(({ kind }) => kind !== "group" && kind !== "input" && kind !== "output").length;
  const outputs = boxes.filter(({ kind }) => kind === "output");
  const shapes = outputs.map(({ type, outputShape }) => `${type} of ${outputShape?.join("×") || "1"}`);
  const repeats = boxes.some(({ repeat }) => repeat > 1)
    ? "; blocks that repeat are drawn once, with their number"
    : "";
  return `From an image of ${input.join("×")} to ${shapes.join(", ")}: ${formatCount(layers)} layers and functions${repeats}.`;
}

const pageStyle = [
  ":root{color-scheme:light dark;--ground:#fbfaf7;--ink:#24262b;--quiet:#565a62;--line:#c9c5ba}",
  "@media (prefers-color-scheme:dark){:root{--ground:#1b1d21;--ink:#eceae4;--quiet:#b3b6bd;--line:#4a4d55}}",
  "body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.45 ui-sans-serif,system-ui,'Segoe UI',Roboto,Arial,sans-serif}",
  "header{padding:16px 20px 4px}h1{font-size:22px;margin:0}p{margin:4px 0;color:var(--quiet)}",
  ".bar{display:flex;flex-wrap:wrap;gap:8px;align-items:center;margin:10px 0}",
  "button{font:inherit;color:var(--ink);background:none;border:1px solid var(--line);border-radius:6px;padding:4px 12px;cursor:pointer}",
  "ul{display:flex;flex-wrap:wrap;gap:4px 16px;list-style:none;margin:0;padding:0;font-size:13px}li{display:flex;gap:6px;align-items:center}",
  "main{overflow-x:auto;padding:8px 0 24px}.graph{display:block;margin:0 auto}",
  "[role=button]{cursor:pointer}[role=button]:focus{outline:none}[role=button]:focus-visible>rect{stroke-width:3}[role=button]:hover>rect{stroke-width:2}",
].join("");

/** What the page does. It is sent as text: it uses nothing from outside itself. */
function runPage(
  { scene, open: initial }: { readonly scene: Scene; readonly open: readonly number[] },
  placed: (scene: Scene, open: readonly number[]) => Arrangement,
  picture: typeof draw,
): void {
  const svg = document.querySelector(".graph") as SVGElement;
  const drawing = document.querySelector("#graph") as SVGElement;
  const main = document.querySelector("main") as HTMLElement;
  let open = new Set(initial);
  const find = (box: number): Element | null => drawing.querySelector(`[data-box="${box}"]`);
  /** Draws anew, and keeps the box under the pointer where it is. */
  const redraw = (box?: number): void => {
    const before = box === undefined ? undefined : find(box)?.getBoundingClientRect();
    const arrangement = placed(scene, [...open]);
    const [width, height] = [Math.ceil(arrangement.width), Math.ceil(arrangement.height)];
    svg.setAttribute("width", `${width}`);
    svg.setAttribute("height", `${height}`);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.innerHTML = picture(scene, arrangement, true);
    const element = box === undefined ? null : (find(box) as SVGElement | null);
    const after = element?.getBoundingClientRect();
    if (before === undefined || after === undefined) return;
    window.scrollBy(0, after.top - before.top);
    main.scrollBy(after.left + after.width / 2 - before.left - before.width / 2, 0);
    element?.focus({ preventScroll: true });
  };
  const toggle = (target: EventTarget | null): boolean => {
    const element = (target as Element | null)?.closest("[data-box]");
    if (!element) return false;
    const box = Number(element.getAttribute("data-box"));
    if (!open.delete(box)) open.add(box);
    redraw(box);
    return true;
  };
  svg.setAttribute("role", "group");
  drawing.addEventListener("click", (event) => toggle(event.target));
  drawing.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" || event.key === " ") && toggle(event.target)) event.preventDefault();
  });
  const set = (boxes: readonly number[]): void => {
    open = new Set(boxes);
    redraw();
  };
  const blocks = scene.boxes.flatMap(({ plan }, i) => (plan === null ? [] : [i]));
  document.getElementById("all")?.addEventListener("click", () => set(blocks));
  document.getElementById("none")?.addEventListener("click", () => set([]));
}
