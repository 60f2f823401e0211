import type { Drawing, Look } from "@ocelli/inspect/plot";
import { BarChart, ScatterChart } from "echarts/charts";
import { GridComponent, TitleComponent, TooltipComponent } from "echarts/components";
import { type ECharts, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { FunctionComponent } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { isDark } from "../../../theme.js";

use([BarChart, ScatterChart, GridComponent, TitleComponent, TooltipComponent, SVGRenderer]);

interface ChartProps {
  /** What it shows, in words: it stands in for the picture. */
  readonly label: string;
  /** Draws for a place of this width in these colours. */
  readonly draw: (look: Omit<Look, "family">, dark: boolean) => Drawing;
  /** Changes when something else is drawn. */
  readonly drawn: string;
  /** The value that is pointed at elsewhere: its place in the first series. */
  readonly pointed?: number | undefined;
  readonly onPoint?: ((place: number | undefined) => void) | undefined;
  readonly onChoose?: ((place: number) => void) | undefined;
}

/** A drawing of @ocelli/inspect/plot in the page: as wide as its place, in the page's theme, with words for what is pointed at. */
export const Chart: FunctionComponent<ChartProps> = ({ label, draw, drawn, pointed, onPoint, onChoose }) => {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts>();
  const heard = useRef({ onPoint, onChoose });
  heard.current = { onPoint, onChoose };
  const width = useWidth(place);
  const dark = isDark();
  const sized = width > 0;
  useEffect(() => {
    if (place.current === null || !sized) return;
    const made = init(place.current, null, { renderer: "svg", width, height: 1 });
    made.on("mouseover", ({ dataIndex }) => heard.current.onPoint?.(dataIndex));
    made.on("mouseout", () => heard.current.onPoint?.(undefined));
    made.on("click", ({ dataIndex }) => heard.current.onChoose?.(dataIndex));
    chart.current = made;
    return () => made.dispose();
  }, [sized]);
  useEffect(() => {
    if (place.current === null || !sized) return;
    const { option, height, about } = draw(lookOf(place.current, width), dark);
    const style = getComputedStyle(place.current);
    const made = chart.current as ECharts;
    // A resize draws all that is there, which is about to change.
    if (made.getWidth() !== width || made.getHeight() !== height) {
      made.clear();
      made.resize({ width, height });
    }
    made.setOption(
      {
        animation: false,
        textStyle: { fontFamily: style.fontFamily },
        tooltip: {
          confine: true,
          formatter: ({ seriesIndex, dataIndex }: { readonly seriesIndex: number; readonly dataIndex: number }) =>
            lines(about?.(seriesIndex, dataIndex) ?? ""),
          backgroundColor: style.getPropertyValue("--surface").trim(),
          borderColor: style.getPropertyValue("--line-strong").trim(),
          textStyle: { color: style.getPropertyValue("--ink").trim(), fontSize: 13 },
        },
        ...option,
      },
      // In the next frame: a task of its own.
      { notMerge: true, lazyUpdate: true },
    );
  }, [drawn, width, dark]);
  useEffect(() => {
    if (pointed === undefined) chart.current?.dispatchAction({ type: "hideTip" });
    else chart.current?.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: pointed });
  }, [pointed]);
  return <div ref={place} class="compare-chart" role="img" aria-label={label} />;
};

function useWidth(place: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 0)));
    observer.observe(place.current as HTMLElement);
    return () => observer.disconnect();
  }, []);
  return width;
}

function lookOf(element: HTMLElement, width: number): Omit<Look, "family"> {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  return {
    width,
    ground: colour("--surface"),
    ink: colour("--ink"),
    quiet: colour("--quiet"),
    line: colour("--line"),
    titled: false,
  };
}

/** Text as an element: names of networks may be anybody's. */
function lines(text: string): HTMLElement {
  const element = document.createElement("div");
  element.style.whiteSpace = "pre-line";
  element.textContent = text;
  return element;
}
