import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { escapeMarkup } from "../markup.js";

/** Colours on light ground, with those that stand for them on dark. */
const themes = {
  ground: ["#fbfaf7", "#1b1d21"],
  ink: ["#24262b", "#eceae4"],
  quiet: ["#565a62", "#b3b6bd"],
  line: ["#e2dfd6", "#383b42"],
} as const;

const families = [
  ["#3f73c4", "#7fabf0"],
  ["#c25540", "#f0917d"],
  ["#37854a", "#6cc484"],
  ["#8355b8", "#bd97ec"],
  ["#a8741a", "#dcae55"],
  ["#1f8088", "#5cc3cc"],
  ["#b8478c", "#ea8cc3"],
  ["#6b7280", "#a9aebb"],
] as const;

/** Where a chart is drawn, and in which colours. */
export interface Look {
  readonly width: number;
  readonly ground: string;
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  /** A colour for the n-th of several. */
  readonly family: (n: number) => string;
  /** Whether the chart bears its own title. */
  readonly titled: boolean;
}

export const colours = { ground: themes.ground[0], ink: themes.ink[0], quiet: themes.quiet[0], line: themes.line[0] };

/** Colours that tell up to eight families apart, on light or dark ground. */
export function familyColours(dark: boolean): (n: number) => string {
  return (n) => (families[n % families.length] as (typeof families)[number])[dark ? 1 : 0];
}

/** A colour for the n-th of several, in files. */
export const familyColour = familyColours(false);

/** For files: light, and turned over by {@link chartStyle}. */
export const fileLook: Look = { width: 1040, ...colours, family: familyColour, titled: true };

/** Turns the colours of a chart over where the reader's screen is dark; paper is light. One file serves both. */
export const chartStyle: string = `@media screen and (prefers-color-scheme:dark){${[
  ...Object.values(themes),
  ...families,
]
  .map(([light, dark]) => `.chart [fill="${light}"]{fill:${dark}}.chart [stroke="${light}"]{stroke:${dark}}`)
  .join("")}}`;

export const font = "ui-sans-serif, system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** ECharts' own description of a chart. */
  readonly option: Readonly<Record<string, unknown>>;
  /** Shown by the mark of one value: series, then place in the series. */
  readonly about?: (series: number, index: number) => string;
}

/** The inside of a chart's SVG, without a browser. The same each time. */
export function drawChart({ width, height, option, about }: Drawing): string {
  use([BarChart, LineChart, ScatterChart, GridComponent, TitleComponent, SVGRenderer]);
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, backgroundColor: "transparent", textStyle: { fontFamily: font }, ...option });
    const svg = chart.renderToSVGString();
    const inside = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"));
    // The axes hold all there is: nothing need be clipped, by paths whose names count on from chart to chart.
    const bare = inside.replace(/<style[\s\S]*?<\/style>|<defs ?>[\s\S]*?<\/defs>| clip-path="[^"]*"/g, "");
    return titled(bare.replace(/ class="zr[^"]*"/g, ""), about);
  } finally {
    chart.dispose();
  }
}

/** Gives each mark its words, and drops what only ECharts' own script could use. */
function titled(svg: string, about: Drawing["about"]): string {
  const mark = / ecmeta_series_index="(\d+)" ecmeta_data_index="(\d+)" ecmeta_ssr_type="chart"><\/path>/g;
  return svg
    .replace(mark, (_, series: string, index: string) => {
      const words = about?.(Number(series), Number(index)) ?? "";
      return words === "" ? "></path>" : ` class="mark"><title>${escapeMarkup(words)}</title></path>`;
    })
    .replace(/ ecmeta_[a-z_]+="[^"]*"/g, "");
}
