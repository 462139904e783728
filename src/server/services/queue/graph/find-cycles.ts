// Circles in a graph: tasks that would wait for each other for ever.
import type { TimeSlice } from "../../../core/time-slice.ts";

/**
 * One circle of each set of nodes that reach each other, as its nodes in the order of the edges. `edges[n]` are the
 * nodes that `n` points at. After Tarjan, without recursion, since a graph may be one long chain.
 */
export async function findCycles(
  edges: readonly (readonly number[])[],
  slice: TimeSlice,
): Promise<number[][]> {
  const cycles: number[][] = [];
  /** When a node was first met, and the earliest node on the stack that it reaches. */
  const met = new Map<number, number>();
  const low = new Map<number, number>();
  /** Nodes whose set is not complete yet. */
  const open: number[] = [];
  const isOpen = new Set<number>();
  /** The way from the root to here: nodes, and which of their edges is next. */
  const way: { readonly node: number; next: number }[] = [];

  const enter = (node: number): void => {
    met.set(node, met.size);
    low.set(node, met.get(node) ?? 0);
    open.push(node);
    isOpen.add(node);
    way.push({ node, next: 0 });
  };
  const lower = (node: number, to: number | undefined): void =>
    void low.set(node, Math.min(low.get(node) ?? 0, to ?? 0));

  for (const root of edges.keys()) {
    if (!met.has(root)) enter(root);
    for (let here = way.at(-1); here !== undefined; here = way.at(-1)) {
      if (slice.isOver()) await slice.next();
      const { node } = here;
      const target = edges[node]?.[here.next++];
      if (target !== undefined) {
        if (!met.has(target)) enter(target);
        else if (isOpen.has(target)) lower(node, met.get(target));
        continue;
      }
      way.pop();
      const before = way.at(-1);
      if (before) lower(before.node, low.get(node));
      if (low.get(node) !== met.get(node)) continue;
      const members = new Set(open.splice(open.lastIndexOf(node)));
      for (const member of members) isOpen.delete(member);
      if (members.size > 1 || edges[node]?.includes(node)) cycles.push(cycleIn(members, edges));
    }
  }
  return cycles;
}

/** Each of the members reaches all others, so whoever walks on among them comes back to where they were. */
function cycleIn(members: ReadonlySet<number>, edges: readonly (readonly number[])[]): number[] {
  const walked: number[] = [];
  const at = new Map<number, number>();
  let node: number | undefined = Math.min(...members);
  while (node !== undefined && !at.has(node)) {
    at.set(node, walked.length);
    walked.push(node);
    node = edges[node]?.find((target) => members.has(target));
  }
  return walked.slice(at.get(node ?? -1) ?? 0);
}
