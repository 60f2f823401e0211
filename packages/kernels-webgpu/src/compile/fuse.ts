/**
 * Decides what is computed together. A kernel's results, and what hangs on one of them element by element, are one group: the arithmetic
 * becomes the kernel's epilogue. Other stored expressions of one size that read each other are a group without a kernel.
 */
import { type Node, sizeOf, type Tensor, topologicalOrder } from "@ocelli/core";
import { sameOrder, views } from "../wgsl/body.js";
import { baseOf, chooseStored } from "./store.js";
import type { Ways } from "./ways.js";

/** What is computed and stored together. */
export interface Group {
  readonly kernel: Node | undefined;
  /** Stored expressions, each after those that it reads. */
  readonly roots: readonly Root[];
  /** Outputs of the kernel that are stored themselves. */
  readonly stored: readonly Tensor[];
  /** Tensors in memory that it reads. True: only at the very element that it writes. */
  readonly reads: ReadonlyMap<Tensor, boolean>;
  /** What has to be computed before, though it is not read. */
  readonly after: ReadonlySet<Tensor>;
}

export interface Root {
  readonly tensor: Tensor;
  /** The output of the group's kernel that it hangs on. */
  readonly on: Tensor | undefined;
}

export interface Fusion {
  readonly groups: readonly Group[];
  /** Tensors in memory: leaves with data, kernels' outputs that somebody reads, roots. */
  readonly inMemory: ReadonlySet<Tensor>;
}

export interface FuseOptions {
  readonly ways: Ways;
  /** Bindings that one dispatch may have. */
  readonly buffers: number;
  /** Have to end in memory: outputs and updates. Their bases are no leaves. */
  readonly required: readonly Tensor[];
}

export function fuse({ ways, buffers, required }: FuseOptions): Fusion {
  const order = topologicalOrder(required);
  const stored = chooseStored(order, ways, buffers, required);
  const grouper = new Grouper(stored, ways, buffers);
  for (const node of order) grouper.visit(node);
  return { groups: grouper.groups(new Set(required.map(baseOf))), inMemory: stored };
}

/** Elements up to which a result counts as small. */
const small = 4096;
/** Groups of small results that are looked at for another one. */
const mostTried = 4;

interface Found {
  /** Tensors in memory, and whether they are read only at the element that is made. */
  readonly reads: ReadonlyMap<Tensor, boolean>;
  /** The same for results at hand. */
  readonly held: ReadonlyMap<Tensor, boolean>;
  readonly after: ReadonlySet<Tensor>;
}

/** A group that may still grow. */
interface Draft {
  readonly kernel: Node | undefined;
  readonly roots: Root[];
  /** Position of its first member. Whatever ends before it cannot depend on it. */
  readonly first: number;
  last: number;
  found: Found;
}

class Grouper {
  readonly #stored: ReadonlySet<Tensor>;
  readonly #ways: Ways;
  readonly #buffers: number;
  readonly #drafts: Draft[] = [];
  readonly #draftOf = new Map<Tensor, Draft>();
  #position = 0;

  constructor(stored: ReadonlySet<Tensor>, ways: Ways, buffers: number) {
    this.#stored = stored;
    this.#ways = ways;
    this.#buffers = buffers;
  }

  visit(node: Node): void {
    const position = this.#position++;
    if (this.#ways.of(node) === "leaf" && node.op.name !== "full") return;
    if (this.#ways.kernel(node) !== undefined) {
      this.#open(node, node.outputs, position);
      return;
    }
    for (const root of node.outputs) {
      if (!this.#stored.has(root)) continue;
      const { reads } = this.#search([root], [root]);
      const home = this.#home(root, reads) ?? this.#company(root, reads);
      if (home === undefined) this.#open(undefined, [root], position);
      else this.#join(home.draft, { tensor: root, on: home.on }, position);
    }
  }

  #open(kernel: Node | undefined, tensors: readonly Tensor[], position: number): void {
    const roots = kernel === undefined ? tensors.map((tensor) => ({ tensor, on: undefined })) : [];
    const found = kernel === undefined ? this.#search(tensors, tensors) : this.#search(kernel.inputs, []);
    // Whoever reads for a kernel reads where the kernel likes.
    const reads = new Map([...found.reads].map(([tensor, inPlace]) => [tensor, inPlace && kernel === undefined]));
    const draft = { kernel, roots, first: position, last: position, found: { ...found, reads } };
    this.#drafts.push(draft);
    for (const tensor of tensors) this.#draftOf.set(tensor, draft);
  }

  #join(draft: Draft, root: Root, position: number): void {
    draft.roots.push(root);
    draft.last = position;
    draft.found = this.#withRoot(draft, root.tensor);
    this.#draftOf.set(root.tensor, draft);
  }

  /** The group that a root may be computed with: one that makes, element by element, what it reads. */
  #home(root: Tensor, reads: Found["reads"]): { draft: Draft; on: Tensor | undefined } | undefined {
    const near = [...reads].filter(([tensor, inPlace]) => inPlace && sizeOf(tensor.shape) === sizeOf(root.shape));
    // The latest first: most of what is read is there by then.
    const drafts = [...new Set(near.flatMap(([tensor]) => this.#draftOf.get(tensor) ?? []))];
    for (const draft of drafts.sort((a, b) => b.last - a.last)) {
      const on = this.#fits(root, reads, draft);
      if (on !== undefined) return { draft, on: on.output };
    }
    return undefined;
  }

  /** Small results that have nothing to do with each other share a dispatch: what costs is the dispatch, not the arithmetic. */
  #company(root: Tensor, reads: Found["reads"]): { draft: Draft; on: undefined } | undefined {
    if (sizeOf(root.shape) > small) return undefined;
    for (let i = this.#drafts.length - 1, tried = 0; i >= 0 && tried < mostTried; i--) {
      const draft = this.#drafts[i] as Draft;
      if (draft.kernel !== undefined || draft.roots.some(({ tensor }) => sizeOf(tensor.shape) > small)) continue;
      tried++;
      const isReader = members(draft).some((member) => reads.has(member));
      if (!isReader && this.#fits(root, reads, draft) !== undefined) return { draft, on: undefined };
    }
    return undefined;
  }

  /** @param alone what the root reads when nothing else is computed with it */
  #fits(root: Tensor, alone: Found["reads"], draft: Draft): { output: Tensor | undefined } | undefined {
    const { reads, held } = this.#withRoot(draft, root);
    const own = this.#search([root], [root, ...members(draft)], draft.kernel);
    const touched = [...own.held];
    // A kernel has one result at hand at a time, and of that one element.
    if (draft.kernel !== undefined && (touched.length !== 1 || touched[0]?.[1] !== true)) return undefined;
    if ([...held.values()].includes(false)) return undefined;
    const moved = members(draft).some((member) => alone.get(member) === false);
    if (moved || reads.size + draft.roots.length + 1 + (draft.kernel?.outputs.length ?? 0) > this.#buffers)
      return undefined;
    const others = [...own.reads.keys(), ...own.after].flatMap((tensor) => this.#draftOf.get(tensor) ?? []);
    return this.#depends(others, draft) ? undefined : { output: touched[0]?.[0] };
  }

  #withRoot({ kernel, roots, found }: Draft, root: Tensor): Found {
    const computed = [...roots.map(({ tensor }) => tensor), root];
    const more = this.#search([root], computed, kernel);
    const reads = new Map(found.reads);
    // Results of a kernel are written one after the other: what two of them read may have been overwritten by the first.
    const apart = kernel !== undefined && kernel.outputs.length > 1;
    for (const [tensor, inPlace] of more.reads) {
      reads.set(tensor, (reads.get(tensor) ?? true) && inPlace && !(apart && found.reads.has(tensor)));
    }
    return { reads, held: more.held, after: new Set([...found.after, ...more.after]) };
  }

  /** Whether any of `from` needs `target` to be computed before. */
  #depends(from: readonly Draft[], target: Draft): boolean {
    const seen = new Set<Draft>();
    const stack = [...from];
    for (let draft = stack.pop(); draft !== undefined; draft = stack.pop()) {
      if (draft === target) return true;
      if (seen.has(draft) || draft.last < target.first) continue;
      seen.add(draft);
      for (const tensor of [...draft.found.reads.keys(), ...draft.found.after]) {
        const source = this.#draftOf.get(tensor);
        if (source !== undefined) stack.push(source);
      }
    }
    return false;
  }

  /** What computing `tensors` reads. Those `computed` are expanded although they are stored; a kernel's results are at hand. */
  #search(tensors: readonly Tensor[], computed: readonly Tensor[], kernel?: Node): Found {
    const [reads, held, after] = [new Map<Tensor, boolean>(), new Map<Tensor, boolean>(), new Set<Tensor>()];
    const expand = new Set(computed);
    const seen = new Map<Tensor, Set<boolean>>();
    const stack: (readonly [Tensor, boolean])[] = tensors.map((tensor) => [tensor, true]);
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const [tensor, inPlace] = top;
      const { op, inputs } = tensor.node;
      if (tensor.node === kernel) held.set(tensor, (held.get(tensor) ?? true) && inPlace);
      else if (this.#stored.has(tensor) && !expand.has(tensor))
        reads.set(tensor, (reads.get(tensor) ?? true) && inPlace);
      else {
        const ways = seen.get(tensor) ?? new Set();
        if (ways.has(inPlace)) continue;
        seen.set(tensor, ways.add(inPlace));
        const still = inPlace && (sameOrder.has(op.name) || !views.has(op.name));
        for (const [i, input] of inputs.entries()) {
          if (op.name !== "barrier" || i === 0) stack.push([input, still]);
          else for (const made of this.#makings(input)) after.add(made);
        }
      }
    }
    return { reads, held, after };
  }

  /** The results of kernels and stored expressions that a tensor is, or that it is computed from wherever it is read. */
  #makings(tensor: Tensor): Tensor[] {
    const made = (node: Node): boolean => node.outputs.some((output) => this.#draftOf.has(output));
    return topologicalOrder([tensor], { has: made }).flatMap((node) => (made(node) ? node.outputs : []));
  }

  /** The finished groups. Results of kernels that only epilogues read are not stored. */
  groups(required: ReadonlySet<Tensor>): Group[] {
    const wanted = new Set(required);
    for (const { found } of this.#drafts) for (const tensor of found.reads.keys()) wanted.add(tensor);
    return this.#drafts.flatMap(({ kernel, roots, found: { reads, after } }) => {
      const stored = (kernel?.outputs ?? []).filter((output) => wanted.has(output));
      return roots.length + stored.length === 0 ? [] : [{ kernel, roots, stored, reads, after }];
    });
  }
}

const members = ({ kernel, roots }: Draft): Tensor[] => [
  ...(kernel?.outputs ?? []),
  ...roots.map(({ tensor }) => tensor),
];
