// Finds cycles in a graph: tasks that would wait for each other forever.
import type { TimeSlice } from "../../../core/time-slice.ts";

/**
 * Returns one cycle of each strongly connected component, as its nodes in the order of the edges. `edges[n]` are the
 * successors of `n`. Tarjan's algorithm without recursion, since a graph may be one long chain.
 */
export async function findCycles(
  edges: readonly (readonly number[])[],
  slice: TimeSlice,
): Promise<number[][]> {
  const cycles: number[][] = [];
  /** The order in which nodes were visited, and the earliest node on the stack that each reaches. */
  const visited = new Map<number, number>();
  const low = new Map<number, number>();
  /** Nodes whose component is not complete yet. */
  const open: number[] = [];
  const isOpen = new Set<number>();
  /** The path from the root to the current node: nodes, and which of their edges is next. */
  const path: { readonly node: number; next: number }[] = [];

  const enter = (node: number): void => {
    visited.set(node, visited.size);
    low.set(node, visited.get(node) ?? 0);
    open.push(node);
    isOpen.add(node);
    path.push({ node, next: 0 });
  };
  const lower = (node: number, to: number | undefined): void =>
    void low.set(node, Math.min(low.get(node) ?? 0, to ?? 0));

  for (const root of edges.keys()) {
    if (!visited.has(root)) enter(root);
    for (let here = path.at(-1); here !== undefined; here = path.at(-1)) {
      if (slice.isOver()) await slice.next();
      const { node } = here;
      const target = edges[node]?.[here.next++];
      if (target !== undefined) {
        if (!visited.has(target)) enter(target);
        else if (isOpen.has(target)) lower(node, visited.get(target));
        continue;
      }
      path.pop();
      const before = path.at(-1);
      if (before) lower(before.node, low.get(node));
      if (low.get(node) !== visited.get(node)) continue;
      const members = new Set(open.splice(open.lastIndexOf(node)));
      for (const member of members) isOpen.delete(member);
      if (members.size > 1 || edges[node]?.includes(node)) cycles.push(cycleIn(members, edges));
    }
  }
  return cycles;
}

/** Every member of a component reaches all others, so following edges within it ends in a cycle. */
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
