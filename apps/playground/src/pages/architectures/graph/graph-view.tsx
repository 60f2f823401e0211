import "./graph-view.css";
import { type Arrangement, legend } from "@ocelli/inspect/graph";
import Panzoom, { type PanzoomObject } from "@panzoom/panzoom";
import { Maximize, ZoomIn, ZoomOut } from "lucide-preact";
import type { FunctionComponent, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../../../ui/index.js";
import type { Analysis } from "../../../workers/analysis/api.js";
import { analysisLane } from "../../../workers/analysis/client.js";
import { Superseded } from "../../../workers/analysis/lane.js";
import { boxColours } from "./colours.js";
import { Picture } from "./picture.js";
import { moveInTree } from "./tree.js";

interface GraphViewProps {
  readonly analysis: Analysis;
  readonly chosen: number | undefined;
  readonly pointed: number | undefined;
  readonly onPoint: (box: number | undefined) => void;
  readonly onChoose: (box: number) => void;
}

/** The network as boxes and arrows: to pan and zoom, with blocks that open and close. */
export const GraphView: FunctionComponent<GraphViewProps> = ({ analysis, chosen, pointed, onPoint, onChoose }) => {
  const { boxes, title } = analysis;
  const { arrangement, open, setOpen, toggle } = useArrangement(analysis);
  const svg = useRef<SVGSVGElement>(null);
  const view = usePanzoom(svg, analysis, arrangement);
  const dragged = useDragged(svg);
  const shown = arrangement.boxes.map(({ box }) => box).sort((a, b) => a - b);
  const current = chosen !== undefined && shown.includes(chosen) ? chosen : (shown[0] ?? 0);

  const unlessDragged = (act: (box: number) => void) => (box: number) => (dragged.current ? undefined : act(box));
  const press = (event: KeyboardEvent, at: number): void => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (boxes[at]?.plan === null) onChoose(at);
      else toggle(at);
      return;
    }
    const move = moveInTree(event.key, at, { boxes, shown, open });
    if (move === undefined) return;
    event.preventDefault();
    if ("to" in move) {
      onChoose(move.to);
      view.reveal(move.to);
      svg.current?.querySelector<SVGGElement>(`[data-box="${move.to}"]`)?.focus({ preventScroll: true });
    } else toggle(at);
  };
  const groups = boxes.filter(({ plan }) => plan !== null).length;
  return (
    <div class="graph-view">
      <div class="graph-bar">
        <IconButton label="Zoom in" onClick={() => view.zoom(1.3)}>
          <ZoomIn size={18} aria-hidden="true" />
        </IconButton>
        <IconButton label="Zoom out" onClick={() => view.zoom(1 / 1.3)}>
          <ZoomOut size={18} aria-hidden="true" />
        </IconButton>
        <IconButton label="Show the whole network" onClick={() => view.fit()}>
          <Maximize size={18} aria-hidden="true" />
        </IconButton>
        {groups === 0 ? null : (
          <>
            <Button onClick={() => setOpen(analysis.openMore)}>
              {analysis.openMore.length === groups ? "Open all blocks" : "Open more blocks"}
            </Button>
            <Button onClick={() => setOpen([])}>Close all</Button>
          </>
        )}
        <span class="quiet small">
          Drag to move; pinch, or Ctrl and wheel, to zoom; arrow keys walk through the layers.
        </span>
      </div>
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: its parts have names; a title would hang at the pointer. */}
      <svg ref={svg} class="graph-picture" style={boxColours()}>
        <g>
          <Picture
            {...{ title, boxes, arrangement, current, onPoint }}
            onChoose={unlessDragged(onChoose)}
            onToggle={unlessDragged(toggle)}
            onKey={press}
          />
          <Mark arrangement={arrangement} box={pointed} kind="pointed" />
          <Mark arrangement={arrangement} box={chosen} kind="chosen" />
        </g>
      </svg>
      <Legend />
    </div>
  );
};

/** Which blocks are open, and where everything is then: laid out by the worker. */
function useArrangement(analysis: Analysis) {
  const [placed, setPlaced] = useState({ analysis, open: analysis.open, arrangement: analysis.arrangement });
  // Another network: its own first look, at once.
  const now =
    placed.analysis === analysis ? placed : { analysis, open: analysis.open, arrangement: analysis.arrangement };
  const newest = useRef(now);
  newest.current = now;
  const setOpen = (open: readonly number[]): void => {
    analysisLane
      .ask((api) => api.arrange(analysis.spec, open))
      .then(
        (arrangement) => {
          if (newest.current.analysis === analysis) setPlaced({ analysis, open, arrangement });
        },
        (error: Error) => {
          // What is drawn stays.
          if (!(error instanceof Superseded)) console.error(error);
        },
      );
  };
  const open = new Set(now.open);
  const toggle = (box: number): void => {
    const next = new Set(newest.current.open);
    if (!next.delete(box)) next.add(box);
    setOpen([...next]);
  };
  return { arrangement: now.arrangement, open, setOpen, toggle };
}

interface View {
  zoom(factor: number): void;
  fit(): void;
  /** Brings a box into sight. */
  reveal(box: number): void;
}

const margin = 16;

/** Moves what is in the picture's first group. */
function usePanzoom(svg: RefObject<SVGSVGElement>, analysis: Analysis, arrangement: Arrangement): View {
  const panzoom = useRef<PanzoomObject>();
  const newest = useRef(arrangement);
  newest.current = arrangement;
  const show = (scale: number): void => {
    const { clientWidth } = svg.current as SVGSVGElement;
    const at = {
      startX: Math.max(margin / scale, (clientWidth / scale - newest.current.width) / 2),
      startY: margin / 2 / scale,
    };
    panzoom.current?.zoom(scale, { animate: false });
    // Panzoom goes to its start a moment after it is made: that may be after this.
    panzoom.current?.setOptions(at);
    panzoom.current?.pan(at.startX, at.startY, { animate: false, force: true });
  };
  useEffect(() => {
    const element = svg.current as SVGSVGElement;
    const made = Panzoom(element.firstElementChild as SVGGElement, {
      canvas: true,
      minScale: 0.02,
      maxScale: 4,
      step: 0.2,
      animate: false,
      cursor: "grab",
      touchAction: "none",
    });
    const wheel = (event: WheelEvent): void => {
      if (event.ctrlKey || event.metaKey) made.zoomWithWheel(event);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    panzoom.current = made;
    return () => {
      element.removeEventListener("wheel", wheel);
      made.destroy();
    };
  }, []);
  useEffect(() => {
    const { clientWidth } = svg.current as SVGSVGElement;
    show(Math.max(0.45, Math.min(1, (clientWidth - 2 * margin) / newest.current.width)));
  }, [analysis]);
  return {
    zoom: (factor) => {
      const { clientWidth, clientHeight } = svg.current as SVGSVGElement;
      const { left, top } = (svg.current as SVGSVGElement).getBoundingClientRect();
      const middle = { clientX: left + clientWidth / 2, clientY: top + clientHeight / 2 };
      panzoom.current?.zoomToPoint(panzoom.current.getScale() * factor, middle);
    },
    fit: () => {
      const { clientWidth, clientHeight } = svg.current as SVGSVGElement;
      const { width, height } = newest.current;
      show(Math.min(1, (clientWidth - 2 * margin) / width, (clientHeight - margin) / height));
    },
    reveal: (box) => {
      const at = newest.current.boxes.find((one) => one.box === box);
      const { current: made } = panzoom;
      if (at === undefined || made === undefined) return;
      const { clientWidth, clientHeight } = svg.current as SVGSVGElement;
      const [scale, pan] = [made.getScale(), made.getPan()];
      // Where it is out of sight, it comes to the first third.
      const inside = (now: number, from: number, size: number, room: number): number => {
        const visible = room / scale;
        const [start, end] = [now + from, now + from + Math.min(size, visible / 2)];
        return start >= 0 && end <= visible ? now : visible / 3 - from;
      };
      made.pan(inside(pan.x, at.x, at.w, clientWidth), inside(pan.y, at.y, at.h, clientHeight), { animate: false });
    },
  };
}

/** Whether the pointer moved between going down and up: then it moved the picture, and chose nothing. */
function useDragged(svg: RefObject<SVGSVGElement>): { readonly current: boolean } {
  const dragged = useRef(false);
  useEffect(() => {
    let start: readonly [number, number] | undefined;
    const down = ({ clientX, clientY }: PointerEvent): void => {
      start = [clientX, clientY];
      dragged.current = false;
    };
    const up = ({ clientX, clientY }: PointerEvent): void => {
      if (start !== undefined) dragged.current = Math.hypot(clientX - start[0], clientY - start[1]) > 5;
    };
    svg.current?.addEventListener("pointerdown", down, true);
    document.addEventListener("pointerup", up, true);
    return () => document.removeEventListener("pointerup", up, true);
  }, []);
  return dragged;
}

interface MarkProps {
  readonly arrangement: Arrangement;
  readonly box: number | undefined;
  readonly kind: "pointed" | "chosen";
}

const Mark: FunctionComponent<MarkProps> = ({ arrangement, box, kind }) => {
  const at = arrangement.boxes.find((one) => one.box === box);
  return at === undefined ? null : (
    <rect class={`graph-mark ${kind}`} x={at.x - 4} y={at.y - 4} width={at.w + 8} height={at.h + 8} rx={12} />
  );
};

const Legend: FunctionComponent = () => (
  <ul class="graph-legend" style={boxColours()} aria-label="Colours">
    {legend.map(([kind, name]) => (
      <li key={kind}>
        <svg width="16" height="16" aria-hidden="true">
          <rect
            {...{ x: 1, y: 1, width: 14, height: 14, rx: 4 }}
            style={{ fill: `var(--${kind}-fill)`, stroke: `var(--${kind}-stroke)` }}
          />
        </svg>
        {name}
      </li>
    ))}
  </ul>
);
