// He et al. 2016, figure 6: plain networks get worse with depth, residual ones better. On a part of CIFAR-10, with a short schedule.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TitleComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { limited, percent, trained } from "./runs.mjs";

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);

const models = ["plain20_cifar", "plain56_cifar", "resnet20_cifar", "resnet56_cifar"];
const published = "published: plain-56 above plain-20, resnet-56 below resnet-20";

/** Trains the four networks and draws their errors. Resumable: the runs are folders below `out`. */
export async function degradation({ dataDir, out, epochs = 5, seed = 0, limit }) {
  mkdirSync(out, { recursive: true });
  const args = ["--data", "cifar10", "--data-dir", dataDir, "--seed", `${seed}`, ...limited(limit)];
  const histories = {};
  for (const model of models) histories[model] = await trained(model, { out: join(out, model), epochs, args });
  const file = join(out, "degradation.svg");
  writeFileSync(file, drawn(histories));
  console.log(`\n${"".padEnd(16)}${"training error".padStart(16)}${"test error".padStart(14)}`);
  for (const [model, history] of Object.entries(histories)) {
    const { trainAccuracy, testAccuracy } = history.at(-1);
    console.log(model.padEnd(16) + percent(1 - trainAccuracy).padStart(16) + percent(1 - testAccuracy).padStart(14));
  }
  console.log(`(${published})\nwrote ${file}`);
}

/** Training errors as thin broken lines, test errors as bold ones, as in the paper's figure. */
function drawn(histories) {
  const colours = ["#b26a00", "#d1495b", "#1b7f79", "#2d4fa2"];
  const panel = (at, names) =>
    names.flatMap((model) => {
      const color = colours[models.indexOf(model)];
      const line = (name, value, lineStyle) => ({
        name,
        type: "line",
        xAxisIndex: at,
        yAxisIndex: at,
        showSymbol: false,
        itemStyle: { color },
        lineStyle: { color, ...lineStyle },
        data: histories[model].map((epoch) => [epoch.epoch, 100 * (1 - epoch[value])]),
      });
      const name = model.replace("_cifar", "");
      return [
        line(`${name} training`, "trainAccuracy", { width: 1.5, type: "dashed" }),
        line(`${name} test`, "testAccuracy", { width: 3 }),
      ];
    });
  const axis = { type: "value", nameLocation: "middle", scale: true, splitLine: { lineStyle: { color: "#e4e7ec" } } };
  const chart = init(null, null, { renderer: "svg", ssr: true, width: 1040, height: 480 });
  chart.setOption({
    animation: false,
    title: [
      { text: "Plain", left: 64, top: 12 },
      { text: "Residual", left: 574, top: 12 },
    ],
    legend: { bottom: 4, itemWidth: 36 },
    grid: [
      { left: 64, top: 52, width: 430, height: 330 },
      { left: 574, top: 52, width: 430, height: 330 },
    ],
    xAxis: [0, 1].map((gridIndex) => ({ ...axis, gridIndex, name: "epoch", nameGap: 26, minInterval: 1, min: 1 })),
    yAxis: [0, 1].map((gridIndex) => ({ ...axis, gridIndex, name: "error, %", nameGap: 36 })),
    series: [...panel(0, models.slice(0, 2)), ...panel(1, models.slice(2))],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
