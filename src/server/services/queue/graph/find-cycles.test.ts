// findCycles finds every cycle, and nothing else.
import fc from "fast-check";
import { expect, it } from "vitest";
import { startTimeSlice } from "../../../core/time-slice.ts";
import { findCycles } from "./find-cycles.ts";

const cyclesOf = (edges: number[][]) => findCycles(edges, startTimeSlice());

it("returns the tasks of each cycle in order, also of a task that depends on itself", async () => {
  expect(await cyclesOf([[1], [2], [0], [0, 4], [4], [3]])).toEqual([[0, 1, 2], [4]]);
});

it("finds none in an acyclic graph, also in a long chain", async () => {
  const chain = Array.from({ length: 50_000 }, (_, i) => (i === 0 ? [] : [i - 1]));
  expect(await cyclesOf(chain)).toEqual([]);
  expect((await cyclesOf([[49_999], ...chain.slice(1)]))[0]).toHaveLength(50_000);
});

const graphs = fc
  .integer({ min: 1, max: 12 })
  .chain((n) =>
    fc.array(fc.uniqueArray(fc.nat({ max: n - 1 }), { maxLength: 4 }), { minLength: n, maxLength: n }),
  );

it("returns disjoint cycles of existing edges, and none exactly if the graph can be ordered", async () => {
  await fc.assert(
    fc.asyncProperty(graphs, async (edges) => {
      const cycles = await cyclesOf(edges);
      for (const cycle of cycles)
        for (const [i, node] of cycle.entries()) expect(edges[node]).toContain(cycle[(i + 1) % cycle.length]);
      expect(cycles.length === 0).toBe(canBeOrdered(edges));
      // Strongly connected components are disjoint.
      const all = cycles.flat();
      expect(new Set(all).size).toBe(all.length);
    }),
    { numRuns: 500 },
  );
});

/** Reports whether repeatedly removing the nodes without outgoing edges removes all. */
function canBeOrdered(edges: number[][]): boolean {
  const left = new Set(edges.keys());
  for (let before = -1; before !== left.size;) {
    before = left.size;
    for (const node of left) if (!edges[node]?.some((target) => left.has(target))) left.delete(node);
  }
  return left.size === 0;
}
