import type { BoxKind } from "./model-graph.js";

export interface Look {
  readonly fill: string;
  readonly stroke: string;
}

/** Fill and border of each kind of box, on light and on dark ground. Words are in ink: at least 7 to 1 against every fill. */
export const boxLooks: Readonly<Record<BoxKind, { readonly light: Look; readonly dark: Look }>> = {
  input: { light: { fill: "#eceae4", stroke: "#8b877d" }, dark: { fill: "#33353b", stroke: "#8d9099" } },
  output: { light: { fill: "#eceae4", stroke: "#8b877d" }, dark: { fill: "#33353b", stroke: "#8d9099" } },
  convolution: { light: { fill: "#dbe8fb", stroke: "#3f73c4" }, dark: { fill: "#1d355c", stroke: "#6f9fe8" } },
  linear: { light: { fill: "#ebe0f8", stroke: "#8355b8" }, dark: { fill: "#3b2558", stroke: "#b48be6" } },
  pooling: { light: { fill: "#d9f0dd", stroke: "#37854a" }, dark: { fill: "#1a3f25", stroke: "#65bd7b" } },
  normalisation: { light: { fill: "#f6eecb", stroke: "#96791a" }, dark: { fill: "#40360f", stroke: "#cbae4b" } },
  join: { light: { fill: "#fbdfd9", stroke: "#c25540" }, dark: { fill: "#54241a", stroke: "#ee8d79" } },
  function: { light: { fill: "#fdeedd", stroke: "#bd7526" }, dark: { fill: "#4a2e11", stroke: "#e0a35c" } },
  group: { light: { fill: "#ffffff", stroke: "#6f737b" }, dark: { fill: "#2a2d33", stroke: "#9ba0aa" } },
};

const ink = {
  light: {
    ground: "#fbfaf7",
    text: "#24262b",
    quiet: "#565a62",
    arrow: "#7b7f87",
    frame: "#c9c5ba",
    inside: "#f4f2ec",
  },
  dark: { ground: "#1b1d21", text: "#eceae4", quiet: "#b3b6bd", arrow: "#8d9099", frame: "#4a4d55", inside: "#22252a" },
};

function rules(scheme: "light" | "dark"): string {
  const { ground, text, quiet, arrow, frame, inside } = ink[scheme];
  return [
    `.ground{fill:${ground}}`,
    `.box text{fill:${text}}.box .line,.box .sign{fill:${quiet}}`,
    ...Object.entries(boxLooks).map(
      ([kind, look]) => `.${kind} rect{fill:${look[scheme].fill};stroke:${look[scheme].stroke}}`,
    ),
    `.box.open rect{fill:${inside};stroke:${frame}}.heading text{stroke:${inside}}`,
    `.arrows path{stroke:${arrow}}.head{fill:${arrow}}`,
    `.shapes text{fill:${quiet};stroke:${ground}}`,
  ].join("");
}

/** Colours for light and dark, chosen by the reader's setting. One file serves both. */
export const styleSheet: string = [
  "text{font:11px ui-sans-serif,system-ui,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}",
  ".title{font-size:12.5px;font-weight:600}.middle{text-anchor:middle}.line{font-weight:400;font-size:11px}",
  ".sign{font-size:15px;text-anchor:middle}.arrows path{fill:none;stroke-width:1.3}",
  ".shapes text{font-size:10.5px}.shapes text,.heading text{paint-order:stroke;stroke-width:4px;stroke-linejoin:round}",
  rules("light"),
  `@media (prefers-color-scheme:dark){${rules("dark")}}`,
].join("");

/** What the colours stand for. */
export const legend: readonly (readonly [kind: BoxKind, name: string])[] = [
  ["convolution", "convolution"],
  ["linear", "linear"],
  ["pooling", "pooling"],
  ["normalisation", "normalisation"],
  ["join", "join"],
  ["function", "function"],
  ["group", "block"],
];
