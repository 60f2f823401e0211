import { ArgumentError, byteSize, input, type Shape, Tensor } from "@ocelli/core";
import { type Module, Sequential, type TapRecord, traceModule } from "@ocelli/layers";
import { flopsOf } from "./cost.js";
import { measure, type PeakMemory, type PeakMemoryOptions } from "./memory.js";
import { formatBinaryBytes } from "./units.js";

export interface RecomputeOptions extends Pick<PeakMemoryOptions, "batch" | "optimizerSlots"> {
  /** Bytes that a training step may take in all, as {@link peakMemory} counts. Left out: as few as possible. */
  readonly budget?: number | undefined;
}

/** What to recompute, and what that gains and costs. */
export interface RecomputePlan {
  /** Names and ranges of names for `recomputing(model, modules)`, outer modules first; none where the step fits as it is. */
  readonly modules: readonly string[];
  /** Of a step that recomputes them. */
  readonly peak: PeakMemory;
  /** Of a step that keeps everything. */
  readonly without: PeakMemory;
  /** FLOPs of a step with recomputation, divided by those without: 1.3 is a third forward pass in a step that costs three. */
  readonly work: number;
}

/**
 * The modules of a model whose results a training step computes again instead of keeping them (Chen et al. 2016), so that its planned peak
 * fits a budget: the least extra arithmetic among these choices. Of all blocks at one depth of the model (`layer1`, or `layer1.0`), alone or
 * with the blocks inside them, or of the stages of a chain of layers (`features.0..features.4`), the first ones are recomputed: their results wait
 * longest, so that each further one saves less.
 *
 * @param image shape of one image, `[C, H, W]`
 * @throws ArgumentError for a budget that no choice meets: it says the least possible, and what it takes
 * @example
 * const { modules } = planRecompute(model, [3, 224, 224], { batch: 32, budget: 2 * 2 ** 30 });
 * const step = trainStep(device, state, { ...options, recompute: recomputing(model, modules) });
 */
export function planRecompute(
  model: Module<Tensor, unknown>,
  image: Shape,
  { batch = 1, optimizerSlots = 1, budget }: RecomputeOptions = {},
): RecomputePlan {
  if (budget !== undefined && !(budget > 0))
    throw new ArgumentError(`planRecompute: budget is ${budget}; it needs a positive number of bytes`, { budget });
  const choose = memoized((modules: readonly string[]): Choice => {
    const { peak, steps } = measure(model, image, { batch, optimizerSlots, training: true, recompute: modules });
    return { modules, peak, flops: steps.order.reduce((sum, node) => sum + flopsOf(node), 0) };
  });
  const without = choose([]);
  const calls = callsOf(model, image, batch);
  const families = [...familiesOf(blocksIn(model, calls)), ...stagesIn(calls)];
  const full = families.map((family) => choose(family.at(-1) as readonly string[]));
  const least = Math.min(...[without, ...full].map(({ peak }) => peak.total));
  const most = budget ?? least;
  if (most < least) throw tooSmall(most, { least, without: without.peak.total, batch });
  const fitting = [[[]], ...families].flatMap((family) => firstFitting(family, choose, most) ?? []);
  const { modules, peak, flops } = fitting.reduce((best, next) => (next.flops < best.flops ? next : best));
  return { modules, peak, without: without.peak, work: flops / without.flops };
}

interface Choice {
  readonly modules: readonly string[];
  readonly peak: PeakMemory;
  readonly flops: number;
}

/** Choices in the order of what they save: each has the modules of the one before it, and one more. */
type Family = readonly (readonly string[])[];

function memoized(choose: (modules: readonly string[]) => Choice): (modules: readonly string[]) => Choice {
  const known = new Map<string, Choice>();
  return (modules) => {
    const key = modules.join();
    const choice = known.get(key) ?? choose(modules);
    known.set(key, choice);
    return choice;
  };
}

/** The calls of a training step, as they end. */
function callsOf(model: Module<Tensor, unknown>, image: Shape, batch: number): TapRecord[] {
  const calls: TapRecord[] = [];
  const x = input("input", { shape: [batch, ...image], dtype: "float32" });
  traceModule(model, x, { training: true, taps: (call) => calls.push(call) });
  return calls;
}

/** Called modules with modules inside, but for the model itself. */
function blocksIn(model: Module<Tensor, unknown>, calls: readonly TapRecord[]): string[] {
  const paths = [...model.modules().keys()];
  const called = [...new Set(calls.map(({ path }) => path))];
  return called.filter((path) => path !== "" && paths.some((other) => isInside(other, path)));
}

/** The layers of each chain, cut behind those that make a picture smaller: in networks without blocks, as VGG. */
function stagesIn(calls: readonly TapRecord[]): Family[] {
  return calls.flatMap(({ path: chain, module }) => {
    if (!(module instanceof Sequential)) return [];
    const prefix = chain === "" ? "" : `${chain}.`;
    const inner = calls.filter(
      ({ path }) => path.startsWith(prefix) && path !== chain && !path.slice(prefix.length).includes("."),
    );
    const ends = [...inner.keys()].filter((i) => i === inner.length - 1 || isReducing(inner[i] as TapRecord));
    if (ends.length < 2) return [];
    const stages = ends.map((end, i) => {
      const [first, last] = [(ends[i - 1] ?? -1) + 1, end].map((at) => inner[at]?.path as string);
      return first === last ? (first as string) : `${first}..${last}`;
    });
    return [Array.from({ length: stages.length + 1 }, (_, count) => stages.slice(0, count))];
  });
}

const isReducing = ({ input: x, output: y }: TapRecord): boolean =>
  x instanceof Tensor && y instanceof Tensor && x.shape.length === 4 && byteSize(y) < byteSize(x);

const isInside = (path: string, outer: string): boolean => path.startsWith(`${outer}.`);
const depthOf = (path: string): number => path.split(".").length;

/** The blocks of each depth, first without and then with those of the next depth inside them. */
function familiesOf(blocks: readonly string[]): Family[] {
  const depths = [...new Set(blocks.map(depthOf))].sort((a, b) => a - b);
  const at = (depth: number): string[] => blocks.filter((path) => depthOf(path) === depth);
  return depths.flatMap((depth) => {
    const outer = at(depth);
    return [[], at(depth + 1)].map((inner) =>
      Array.from({ length: outer.length + 1 }, (_, count) => {
        const first = outer.slice(0, count);
        return [...first, ...inner.filter((path) => first.some((around) => isInside(path, around)))];
      }),
    );
  });
}

/** The first choice of a family that fits, by halving; undefined when the last one does not. */
function firstFitting(
  family: Family,
  choose: (modules: readonly string[]) => Choice,
  most: number,
): Choice | undefined {
  const fits = (at: number): boolean => choose(family[at] as readonly string[]).peak.total <= most;
  let [from, to] = [0, family.length - 1];
  if (!fits(to)) return undefined;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (fits(middle)) to = middle;
    else from = middle + 1;
  }
  return choose(family[to] as readonly string[]);
}

function tooSmall(budget: number, found: { least: number; without: number; batch: number }): ArgumentError {
  const [asked, least, without] = [budget, found.least, found.without].map(formatBinaryBytes);
  const remedy = found.batch > 1 ? "; take a smaller batch than" : "; with a batch of";
  return new ArgumentError(
    `planRecompute: a budget of ${asked} is too small: a step takes ${without} as it is and, recomputing, ${least} at the least${remedy} ${found.batch}`,
    { budget, ...found },
  );
}

/** A plan in one line or three: the peak as it is, the peak with recomputation, and what that costs. */
export function formatRecomputePlan({ modules, peak, without, work }: RecomputePlan): string {
  const line = (what: string, { total, at }: PeakMemory): string => `${what}: ${formatBinaryBytes(total)} at ${at}`;
  const kept = line("everything kept", without);
  if (modules.length === 0) return kept;
  const share = Math.round(100 * (work - 1));
  const shown =
    modules.length > mostShown
      ? [...modules.slice(0, mostShown - 1), `${modules.length - mostShown + 1} more`]
      : modules;
  return [kept, line("recomputed", peak), `${share} % more arithmetic, in ${shown.join(", ")}`].join("\n");
}

/** Names that are printed. */
const mostShown = 8;
