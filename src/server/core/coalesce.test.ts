import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Clock } from "../../lib/clock.ts";
import { coalesce } from "./coalesce.ts";

/** Waits nothing: delays of retries end with this turn of the event loop. */
const hastyClock: Clock = {
  now: () => Date.now(),
  after(_ms, callback) {
    const immediate = setImmediate(callback);
    return () => clearImmediate(immediate);
  },
};

const turns = async (n: number): Promise<void> => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A run whose batches the test ends one by one. */
function byHand() {
  const batches: { items: readonly number[]; end: (results?: readonly (number | Error)[]) => void }[] = [];
  const run = (items: readonly number[]) =>
    new Promise<readonly (number | Error)[]>((resolve) => {
      batches.push({ items, end: (results = items.map((i) => i * 10)) => resolve(results) });
    });
  return { batches, run };
}

describe("coalesce", () => {
  it("runs a single call immediately and queues later ones while it is in flight", async () => {
    const { batches, run } = byHand();
    const call = coalesce({ name: "test", run, maxBatch: 10, concurrency: 1 });
    const first = call(1);
    await turns(1);
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
    const rest = Promise.all([call(2), call(3)]);
    await turns(3);
    expect(batches).toHaveLength(1);
    batches[0]?.end();
    expect(await first).toBe(10);
    await turns(2);
    expect(batches[1]?.items).toEqual([2, 3]);
    batches[1]?.end();
    expect(await rest).toEqual([20, 30]);
  });

  it("batches the calls of one event loop iteration, up to maxBatch", async () => {
    const sizes: number[] = [];
    const call = coalesce({
      name: "test",
      run: async (items: readonly number[]) => items,
      maxBatch: 3,
      concurrency: 2,
      onBatch: (size) => sizes.push(size),
    });
    expect(await Promise.all([1, 2, 3, 4, 5, 6, 7].map(call))).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(sizes).toEqual([3, 3, 1]);
  });

  it("never runs two calls with the same key concurrently", async () => {
    const { batches, run } = byHand();
    const call = coalesce({ name: "test", run, maxBatch: 10, concurrency: 5, key: (n) => String(n % 2) });
    const all = Promise.all([1, 2, 3, 4, 5].map(call));
    await turns(2);
    expect(batches.map(({ items }) => items)).toEqual([[1, 2]]);
    batches[0]?.end();
    await turns(2);
    expect(batches[1]?.items).toEqual([3, 4]);
    batches[1]?.end();
    await turns(2);
    expect(batches[2]?.items).toEqual([5]);
    batches[2]?.end();
    expect(await all).toEqual([10, 20, 30, 40, 50]);
  });

  it("rejects only the call whose result is an Error", async () => {
    const { batches, run } = byHand();
    const call = coalesce({ name: "test", run, maxBatch: 10, concurrency: 1 });
    const settled = Promise.allSettled([call(1), call(2)]);
    await turns(1);
    batches[0]?.end([new Error("only mine"), 20]);
    expect(await settled).toMatchObject([{ reason: { message: "only mine" } }, { value: 20 }]);
  });

  it("isolates a bad item by halving, without affecting its neighbors", async () => {
    const batches: (readonly number[])[] = [];
    const call = coalesce({
      name: "test",
      run: async (items: readonly number[]) => {
        batches.push(items);
        if (items.includes(6)) throw new Error("6 is bad");
        return items;
      },
      maxBatch: 64,
      concurrency: 1,
    });
    const settled = await Promise.allSettled([1, 2, 3, 4, 5, 6, 7, 8].map(call));
    expect(settled.filter(({ status }) => status === "rejected")).toMatchObject([
      { reason: { message: "6 is bad" } },
    ]);
    expect(settled.flatMap((s) => (s.status === "fulfilled" ? [s.value] : []))).toEqual([
      1, 2, 3, 4, 5, 7, 8,
    ]);
    expect(batches.map((items) => items.join(""))).toEqual([
      "12345678",
      "1234",
      "5678",
      "56",
      "5",
      "6",
      "78",
    ]);
  });

  it("tries a retryable failure five times, then rejects the calls", async () => {
    let tries = 0;
    const failing = coalesce({
      name: "test",
      run: () => Promise.reject(new Error(`deadlock ${++tries}`)),
      maxBatch: 1,
      concurrency: 1,
      isRetryable: () => true,
      clock: hastyClock,
    });
    await expect(failing(1)).rejects.toThrow("deadlock 5");
    const recovering = coalesce({
      name: "test",
      run: (items: readonly number[]) =>
        ++tries < 9 ? Promise.reject(new Error("deadlock")) : Promise.resolve(items),
      maxBatch: 2,
      concurrency: 1,
      isRetryable: () => true,
      clock: hastyClock,
    });
    expect(await Promise.all([recovering(1), recovering(2)])).toEqual([1, 2]);
    expect(tries).toBe(9);
  });

  it("rejects all calls of a batch if no item caused the failure", async () => {
    let batches = 0;
    const call = coalesce({
      name: "test",
      run: () => {
        batches++;
        return Promise.reject(new Error("connection lost"));
      },
      maxBatch: 10,
      concurrency: 1,
      isRetryable: () => true,
      isFatal: (err) => err instanceof Error && err.message === "connection lost",
    });
    const settled = await Promise.allSettled([call(1), call(2), call(3)]);
    expect(settled.map((s) => s.status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(batches).toBe(1);
  });

  it("reports missing results as a fault of the statement", async () => {
    const { batches, run } = byHand();
    const call = coalesce({ name: "create-task", run, maxBatch: 10, concurrency: 1 });
    const settled = Promise.allSettled([call(1), call(2)]);
    await turns(1);
    batches[0]?.end([10]);
    const reason = { message: "create-task returned 1 result for 2 items" };
    expect(await settled).toMatchObject([{ reason }, { reason }]);
  });

  it("is idle when no call is in flight or queued", async () => {
    const { batches, run } = byHand();
    const call = coalesce({ name: "test", run, maxBatch: 1, concurrency: 1 });
    await call.idle();
    const both = Promise.all([call(1), call(2)]);
    let idle = false;
    const idling = call.idle().then(() => (idle = true));
    await turns(1);
    batches[0]?.end();
    await turns(2);
    expect(idle).toBe(false);
    batches[1]?.end();
    await both;
    await idling;
  });
});

const anItem = fc.record({
  key: fc.integer({ min: 0, max: 5 }),
  fate: fc.constantFrom("fine", "fine", "fine", "refused", "poison"),
  /** Turns of the event loop before the call. */
  pause: fc.constantFrom(0, 0, 0, 1, 3),
});

const world = fc.record({
  items: fc.array(anItem, { maxLength: 40 }),
  maxBatch: fc.integer({ min: 1, max: 8 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  /** Of each batch: how many turns it takes, and whether it fails as by a deadlock. */
  batches: fc.infiniteStream(
    fc.record({
      takes: fc.integer({ min: 0, max: 4 }),
      deadlock: fc.constantFrom(...Array<boolean>(9).fill(false), true),
    }),
  ),
});

describe("coalesce with random failures", () => {
  it("returns every call its own result, keeps the order of each key, and respects its limits", async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ items, maxBatch, concurrency, batches }) => {
        const done: { id: number; key: number }[] = [];
        const keysUnderWay = new Set<number>();
        let underWay = 0;
        const call = coalesce({
          name: "test",
          maxBatch,
          concurrency,
          key: ({ key }: { id: number; key: number; fate: string }) => String(key),
          clock: hastyClock,
          isRetryable: (err) => err === deadlock,
          run: async (batch) => {
            expect(batch.length).toBeLessThanOrEqual(maxBatch);
            expect(++underWay).toBeLessThanOrEqual(concurrency);
            for (const { key } of batch) {
              expect(keysUnderWay.has(key)).toBe(false);
              keysUnderWay.add(key);
            }
            const plan = batches.next().value;
            await turns(plan.takes);
            underWay--;
            for (const { key } of batch) keysUnderWay.delete(key);
            if (plan.deadlock) throw deadlock;
            if (batch.some(({ fate }) => fate === "poison")) throw new Error("poisoned");
            done.push(...batch);
            return batch.map(({ id, fate }) => (fate === "refused" ? new Error(`refused ${id}`) : id));
          },
        });

        const calls: Promise<PromiseSettledResult<number>[]>[] = [];
        for (const [id, { key, fate, pause }] of items.entries()) {
          await turns(pause);
          calls.push(Promise.allSettled([call({ id, key, fate })]));
        }
        const settled = (await Promise.all(calls)).flat();
        await call.idle();

        settled.forEach((outcome, id) => {
          const fate = items[id]?.fate;
          if (outcome.status === "fulfilled") expect([outcome.value, fate]).toEqual([id, "fine"]);
          // Five deadlocks in a row may fail any call. Every other failure is expected and has its own reason.
          else if (outcome.reason !== deadlock) {
            expect([fate, outcome.reason.message]).toEqual(
              fate === "poison" ? ["poison", "poisoned"] : ["refused", `refused ${id}`],
            );
          }
        });
        for (const key of new Set(items.map((item) => item.key))) {
          const ids = done.filter((item) => item.key === key).map(({ id }) => id);
          expect(ids).toEqual(ids.toSorted((a, b) => a - b));
          expect(new Set(ids).size).toBe(ids.length);
        }
      }),
      { numRuns: 200 },
    );
  });
});

const deadlock = new Error("deadlock");
