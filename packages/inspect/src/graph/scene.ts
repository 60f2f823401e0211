/** What is drawn: plain data, so that a page can carry it. */
export interface Scene {
  readonly boxes: readonly SceneBox[];
  /** One for the whole and one for each block, outer before inner. */
  readonly plans: readonly Plan[];
}

export interface SceneBox {
  readonly id: string;
  readonly kind: string;
  /** In bold. */
  readonly title: string;
  /** Below it, smaller. */
  readonly lines: readonly string[];
  /** For those who point at it. */
  readonly about: string;
  /** Its place in `plans` when it is a block. */
  readonly plan: number | null;
}

/** A block's inside, laid out with all blocks in it closed. */
export interface Plan {
  /** Its place in `boxes`; null for the whole. */
  readonly box: number | null;
  /** Of the heading, at least. */
  readonly width: number;
  readonly nodes: readonly PlanNode[];
  readonly edges: readonly PlanEdge[];
}

/** A box, or where an arrow crosses the block's frame (`in`, `out`). Coordinates are those of its middle. */
export interface PlanNode {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly box: number | null;
  readonly port: "in" | "out" | null;
}

export interface PlanEdge {
  /** Places in the plan's `nodes`. */
  readonly from: number;
  readonly to: number;
  /** Where the arrow leaves and enters a block: places in that block's `nodes`. */
  readonly fromPort: number | null;
  readonly toPort: number | null;
  /** Where it bends between other boxes. */
  readonly bends: readonly (readonly [x: number, y: number])[];
  /** The shape, or "" where another arrow says it. */
  readonly label: string;
}

/** A scene with some blocks open: absolute coordinates. */
export interface Arrangement {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly {
    readonly box: number;
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
    readonly open: boolean;
  }[];
  readonly arrows: readonly {
    readonly points: readonly (readonly [x: number, y: number])[];
    readonly label: string;
    /** Arrows that end at a frame go on inside: only the last part has a head. */
    readonly head: boolean;
  }[];
}
