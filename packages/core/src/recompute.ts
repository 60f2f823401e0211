/**
 * Chen, Xu, Zhang, Guestrin: "Training Deep Nets with Sublinear Memory Cost", 2016: memory for time.
 *
 * The forward graph stays as it is. Only what gradient rules are handed changes: copies of the nodes, which start from barriers behind
 * the gradient that asks for them first. So devices compute them late, and hold them for as long as that part of the backward pass takes.
 */
import { topologicalOrder } from "./graph.js";
import type { Op } from "./op.js";
import { barrier } from "./ops/layout.js";
import { inputOp } from "./ops/leaf.js";
import { hooks, Node, type Tensor } from "./tensor.js";

/** What one call of {@link recompute} made. Calls inside calls have an outer one. */
interface Segment {
  readonly outer: Segment | undefined;
}

/** The innermost segment of each node that was made in one. */
const segments = new WeakMap<Node, Segment>();
let current: Segment | undefined;

/**
 * Runs `fn` such that what it makes is not kept for the backward pass, but computed again there (Chen et al. 2016). Values and
 * gradients are the same, random numbers too, and nothing but gradients sees a difference. What `fn` reads from outside is kept. What it
 * returns is kept only where another call of `recompute` reads it. Calls may be nested: what an inner one makes is computed
 * again when the outer one's copy is differentiated, a third time in all.
 *
 * @example
 * for (const w of weights) x = recompute(() => relu(conv2d(x, w))); // one tensor a layer is kept, the rest computed twice
 */
export function recompute<T>(fn: () => T): T {
  return recomputeTogether()(fn);
}

/**
 * {@link recompute} of what is made in several calls: what the first makes for the second is not kept either.
 *
 * @example
 * const together = recomputeTogether();
 * const y = together(() => relu(conv2d(x, w1)));
 * const z = together(() => relu(conv2d(y, w2)));
 */
export function recomputeTogether(): <T>(fn: () => T) => T {
  // One for each place: calls of another pass may be inside another outer call.
  const own = new Map<Segment | undefined, Segment>();
  return (fn) => {
    const outer = current;
    const segment = own.get(outer) ?? { outer };
    own.set(outer, segment);
    return within(segment, fn);
  };
}

function within<T>(segment: Segment, fn: () => T): T {
  const before = current;
  current = segment;
  hooks.made = (node) => segments.set(node, current as Segment);
  hooks.view = () => new Copies();
  try {
    return fn();
  } finally {
    current = before;
    if (before === undefined) hooks.made = undefined;
  }
}

function* chain(segment: Segment | undefined): Generator<Segment> {
  for (let next = segment; next !== undefined; next = next.outer) yield next;
}

/** True for leaves that a program is fed, and for what is made of them. Constants are there at any time and cost nothing. */
const varies = ({ node }: Tensor): boolean => node.inputs.length > 0 || node.op === (inputOp as Op);

/** What rules see in place of nodes, in one walk backwards. */
class Copies {
  /** Differentiating inside `fn` is part of what is computed again: there, the nodes around are as any others. */
  readonly #open = new Set(chain(current));
  readonly #known = new Map<Segment, { readonly of: Map<Tensor, Tensor>; readonly after: Tensor }>();
  /** Segments that the rule at hand is the first to see anything of. */
  readonly #fresh = new Set<Segment>();
  /** The copies that it sees, and whose they are. */
  readonly #shown = new Map<Tensor, Segment>();
  #stop: ReadonlySet<Node> = new Set();

  /** The node with copies for what belongs to segments. */
  see(node: Node, dys: readonly (Tensor | null)[]): Node {
    const own = this.#segment(node);
    const arrived = dys.filter((dy) => dy !== null);
    const show = (tensor: Tensor): Tensor => {
      const its = this.#segment(tensor.node);
      // From outside a segment or from around it one sees what is in it; from inside, what enters.
      const from = own === undefined || this.#inside(tensor.node, own) ? its : own;
      if (from === undefined) return tensor;
      const copy = this.#copy(tensor, from, arrived[0] as Tensor);
      this.#shown.set(copy, from);
      return copy;
    };
    const seen = { ...node, inputs: node.inputs.map(show), outputs: node.outputs.map(show) };
    this.#stop = new Set([...arrived, ...seen.inputs, ...seen.outputs].map((tensor) => tensor.node));
    return seen;
  }

  /**
   * A rule may look at shapes alone (a sum's, a concatenation's). A segment that it is the first to see is then forgotten: another gradient,
   * which arrives later, is the one to wait for.
   */
  made(grads: readonly (Tensor | null)[]): void {
    if (this.#fresh.size > 0) {
      const read = new Set(
        topologicalOrder(
          grads.filter((grad) => grad !== null),
          this.#stop,
        ),
      );
      for (const [copy, segment] of this.#shown) {
        if (read.has(copy.node)) for (const around of chain(segment)) this.#fresh.delete(around);
      }
      for (const segment of this.#fresh) this.#known.delete(segment);
      this.#fresh.clear();
    }
    this.#shown.clear();
  }

  #segment(node: Node): Segment | undefined {
    const segment = node.inputs.length === 0 ? undefined : segments.get(node);
    return segment === undefined || this.#open.has(segment) ? undefined : segment;
  }

  #inside(node: Node, segment: Segment): boolean {
    for (const around of chain(this.#segment(node))) if (around === segment) return true;
    return false;
  }

  /** A tensor as the copy of `segment` has it: computed again, or a barrier before what enters. */
  #copy(tensor: Tensor, segment: Segment, after: Tensor): Tensor {
    let copies = this.#known.get(segment);
    if (copies === undefined) {
      copies = { of: new Map(), after };
      this.#known.set(segment, copies);
      this.#fresh.add(segment);
    }
    const { of } = copies;
    const stop = { has: (node: Node) => of.has(node.outputs[0] as Tensor) || !this.#inside(node, segment) };
    for (const node of topologicalOrder(of.has(tensor) ? [] : [tensor], stop)) {
      if (stop.has(node)) continue;
      const inputs = node.inputs.map((input) => of.get(input) ?? this.#enter(input, segment, after));
      for (const [i, output] of again(node, inputs, copies.after).entries()) of.set(node.outputs[i] as Tensor, output);
    }
    return of.get(tensor) ?? this.#enter(tensor, segment, after);
  }

  #enter(tensor: Tensor, segment: Segment, after: Tensor): Tensor {
    if (tensor.node.inputs.length === 0) return tensor;
    const { outer } = segment;
    const given = outer === undefined || this.#open.has(outer) ? tensor : this.#copy(tensor, outer, after);
    const { of, after: first } = this.#known.get(segment) as { of: Map<Tensor, Tensor>; after: Tensor };
    const entered = barrier(given, [first]);
    of.set(tensor, entered);
    return entered;
  }
}

/** A node's outputs, computed again from `inputs` and after `after`. */
function again(node: Node, inputs: Tensor[], after: Tensor): readonly Tensor[] {
  const { op, attrs, outputs, scope } = node;
  // Leaves are behind no barrier, so that weights stay what devices know them for. Of leaves alone, it needs one of its own.
  if (inputs.every((input, i) => input === node.inputs[i])) {
    const first = inputs.findIndex(varies);
    if (op.view || first < 0) return outputs;
    inputs[first] = barrier(inputs[first] as Tensor, [after]);
  }
  return new Node(op, inputs, attrs, outputs, scope).outputs;
}
