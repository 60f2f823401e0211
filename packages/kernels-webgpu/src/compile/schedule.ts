import type { Tensor } from "@ocelli/core";
import type { Group } from "./fuse.js";

/** Groups with what has to come before each. */
export class Dependencies {
  readonly #before = new Map<Group, Set<Group>>();
  readonly #writer = new Map<Tensor, Group>();
  readonly #readers = new Map<Tensor, Set<Group>>();

  constructor(groups: readonly Group[]) {
    for (const group of groups) {
      // Also those results of a kernel that only its own epilogue reads: others may have to wait for them.
      for (const tensor of [...(group.kernel?.outputs ?? []), ...written(group)]) this.#writer.set(tensor, group);
    }
    for (const group of groups) {
      const before = new Set<Group>();
      for (const tensor of [...group.reads.keys(), ...group.after]) {
        const writer = this.#writer.get(tensor);
        if (writer !== undefined && writer !== group) before.add(writer);
      }
      for (const tensor of group.reads.keys()) {
        const readers = this.#readers.get(tensor) ?? new Set();
        this.#readers.set(tensor, readers.add(group));
      }
      this.#before.set(group, before);
    }
  }

  before(group: Group): ReadonlySet<Group> {
    return this.#before.get(group) as Set<Group>;
  }

  writerOf(tensor: Tensor): Group | undefined {
    return this.#writer.get(tensor);
  }

  readersOf(tensor: Tensor): ReadonlySet<Group> {
    return this.#readers.get(tensor) ?? new Set();
  }

  /**
   * Lets a group overwrite `leaf`: whoever else reads it must come before.
   * @returns false, and nothing is changed, when one of them needs the group's results or the group itself reads other elements
   */
  overwrite(group: Group, leaf: Tensor): boolean {
    if (group.reads.get(leaf) === false) return false;
    const others = [...this.readersOf(leaf)].filter((reader) => reader !== group);
    if (this.#needs(others, group)) return false;
    for (const other of others) this.#before.get(group)?.add(other);
    return true;
  }

  #needs(from: readonly Group[], target: Group): boolean {
    const seen = new Set<Group>();
    const stack = [...from];
    for (let group = stack.pop(); group !== undefined; group = stack.pop()) {
      if (group === target) return true;
      if (seen.has(group)) continue;
      seen.add(group);
      stack.push(...this.before(group));
    }
    return false;
  }
}

/** What a group puts into memory. */
export function written({ stored, roots }: Group): Tensor[] {
  return [...stored, ...roots.map(({ tensor }) => tensor)];
}

/**
 * An order of groups that keeps little memory in use: of all that could run next, the one that frees most (less what it needs); where
 * that is equal, the one that comes first in the graph.
 * @param bytes memory of a tensor, 0 where it is not the arena's
 */
export function scheduled(
  groups: readonly Group[],
  dependencies: Dependencies,
  bytes: (tensor: Tensor) => number,
): Group[] {
  const waiting = new Map(groups.map((group) => [group, dependencies.before(group).size]));
  const followers = new Map<Group, Group[]>();
  for (const group of groups) {
    for (const before of dependencies.before(group)) followers.set(before, [...(followers.get(before) ?? []), group]);
  }
  const unread = new Map<Tensor, number>();
  for (const group of groups)
    for (const tensor of group.reads.keys()) unread.set(tensor, (unread.get(tensor) ?? 0) + 1);
  const growth = (group: Group): number => {
    let total = 0;
    for (const tensor of written(group)) total += bytes(tensor);
    for (const tensor of group.reads.keys()) if (unread.get(tensor) === 1) total -= bytes(tensor);
    return total;
  };
  const rank = new Map(groups.map((group, i) => [group, i]));
  const ready = new Set(groups.filter((group) => waiting.get(group) === 0));
  const order: Group[] = [];
  while (ready.size > 0) {
    const next = [...ready].reduce((best, group) => {
      const difference = growth(group) - growth(best);
      const earlier = (rank.get(group) as number) < (rank.get(best) as number);
      return difference < 0 || (difference === 0 && earlier) ? group : best;
    });
    ready.delete(next);
    order.push(next);
    for (const tensor of next.reads.keys()) unread.set(tensor, (unread.get(tensor) as number) - 1);
    for (const follower of followers.get(next) ?? []) {
      const left = (waiting.get(follower) as number) - 1;
      waiting.set(follower, left);
      if (left === 0) ready.add(follower);
    }
  }
  return order;
}
