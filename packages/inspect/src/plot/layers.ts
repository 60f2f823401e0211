import type { Compared, ComparedLayer, Comparison } from "../compare.js";
import { formatBytes, formatCount } from "../format.js";
import { type Drawing, fileLook, type Look } from "./chart.js";

/** Beyond, neighbours share a bar. */
const barLimit = 80;
const [panel, left, gap, right] = [150, 64, 72, 28];

interface Bar {
  readonly name: string;
  readonly value: number;
}

/** Parameters and memory layer by layer, a row of two panels for each model. */
export function layers({ models }: Comparison, look: Look = fileLook): Drawing {
  const { width, titled, quiet, line } = look;
  const beside = width >= 720;
  const panelWidth = beside ? (width - left - gap - right) / 2 : width - left - right;
  const leftOf = [left, beside ? left + panelWidth + gap : left] as const;
  const top = titled ? 64 : 34;
  const panels = models.flatMap((model, i) => [
    {
      model,
      row: beside ? i : 2 * i,
      column: 0 as const,
      bars: barsOf(model, ({ parameters }) => parameters),
      format: formatCount,
    },
    {
      model,
      row: beside ? i : 2 * i + 1,
      column: 1 as const,
      bars: barsOf(model, ({ storedBytes }) => storedBytes),
      format: formatBytes,
    },
  ]);
  const text = (words: string, x: number, y: number, size: number, color: string) => ({
    text: words,
    left: x - 5,
    top: y,
    textStyle: { color, fontSize: size, fontWeight: size > 12 ? "bold" : "normal" },
  });
  return {
    width,
    height: top + panel * models.length * (beside ? 1 : 2),
    option: {
      title: [
        ...(titled
          ? [
              text("Parameters by layer", leftOf[0], 10, 16, look.ink),
              text("Memory by layer", leftOf[1], 10, 16, look.ink),
            ]
          : []),
        ...panels.map(({ model, row, column, bars }) =>
          text(
            `${model.name}${titled ? "" : column === 0 ? ": parameters" : ": memory"}${bars.shared ? `, ${bars.shared} layers a bar` : ""}`,
            leftOf[column],
            top + row * panel - 22,
            12,
            quiet,
          ),
        ),
      ],
      grid: panels.map(({ row, column }) => ({
        left: leftOf[column],
        top: top + row * panel,
        width: panelWidth,
        height: panel - 44,
        outerBoundsMode: "none",
      })),
      xAxis: panels.map(({ bars }, gridIndex) => ({
        gridIndex,
        type: "category",
        data: bars.list.map(({ name }) => name),
        axisLabel: { show: false },
        axisTick: { show: false },
        axisLine: { lineStyle: { color: quiet } },
      })),
      yAxis: panels.map(({ format }, gridIndex) => ({
        gridIndex,
        type: "value",
        splitNumber: 3,
        axisLabel: { color: quiet, fontSize: 10.5, formatter: (value: number) => format(value) },
        splitLine: { lineStyle: { color: line } },
      })),
      series: panels.map(({ bars, column }, i) => ({
        type: "bar",
        xAxisIndex: i,
        yAxisIndex: i,
        data: bars.list.map(({ value }) => value),
        barCategoryGap: "12%",
        barMinHeight: 1,
        itemStyle: { color: look.family(column === 0 ? 0 : 2) },
      })),
    },
    about: (series, index) => {
      const { bars, format } = panels[series] as (typeof panels)[number];
      const { name, value } = bars.list[index] as Bar;
      return `${name}\n${format(value)}`;
    },
  };
}

function barsOf(
  model: Compared,
  value: (layer: ComparedLayer) => number,
): { readonly list: readonly Bar[]; readonly shared: number } {
  const rows = model.layers.filter((layer) => value(layer) > 0);
  const size = Math.max(1, Math.ceil(rows.length / barLimit));
  const list: Bar[] = [];
  for (let i = 0; i < rows.length; i += size) {
    const group = rows.slice(i, i + size);
    const [first, last] = [group[0] as ComparedLayer, group.at(-1) as ComparedLayer];
    const name = (layer: ComparedLayer): string => `${layer.path || "(model)"}: ${layer.type}`;
    list.push({
      name: first === last ? name(first) : `${name(first)} … ${name(last)}`,
      value: group.reduce((sum, layer) => sum + value(layer), 0),
    });
  }
  return { list, shared: size > 1 ? size : 0 };
}
