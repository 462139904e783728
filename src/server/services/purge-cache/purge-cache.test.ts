import { afterAll, beforeAll, expect, test } from "vitest";
import { manualClock } from "../../../../test/support/clock.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { sql } from "../../core/sql.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
const workerPoolId = "test-pool/linux";
const clock = manualClock();
let stack: Stack;
let client: Stack["client"]["purgeCache"];
beforeAll(async () => {
  stack = await testStack({ clock, manualLoops: true });
  client = stack.client.purgeCache;
});
afterAll(() => stack.stop());

const now = () => new Date(clock.now()).toISOString();
const purge = (cacheName: string, pool = workerPoolId) =>
  client.purgeCache({ workerPoolId: pool }, { cacheName });
const namesOf = async (pool: string, since?: string) =>
  (
    await client.purgeRequests({ workerPoolId: pool }, since === undefined ? {} : { query: { since } })
  ).requests.map(({ cacheName }) => cacheName);

test("a request is listed for its pool with the time of the call, and a repeated one replaces it", async () => {
  await purge("level-1 checkouts");
  await clock.advance(minute);
  const before = now();
  expect(await purge("level-1 checkouts")).toBeUndefined();
  await purge("other", "test-pool/windows");
  expect(await client.purgeRequests({ workerPoolId })).toEqual({
    requests: [{ provisionerId: "test-pool", workerType: "linux", cacheName: "level-1 checkouts", before }],
  });
});

test("since selects the requests that concern caches created at that time or later", async () => {
  const pool = "test-pool/since";
  await purge("old", pool);
  await clock.advance(minute);
  await purge("new", pool);
  expect(await namesOf(pool, now())).toEqual(["new"]);
  expect(await namesOf(pool, new Date(clock.now() - minute).toISOString())).toEqual(["new", "old"]);
  expect(await namesOf(pool, new Date(clock.now() + 1).toISOString())).toEqual([]);
});

test.each(["yesterday", "+999999-01-01T00:00:00Z", "-000001-01-01T00:00:00Z"])(
  "since is refused if it is %s",
  async (since) => {
    await expect(namesOf(workerPoolId, since)).rejects.toMatchObject({
      code: "InvalidRequestArguments",
      message: expect.stringContaining("since must be a time such as 2026-01-31T12:00:00.000Z"),
    });
  },
);

test("the list of all pools has pages, whatever the names of caches are", async () => {
  const names = ["", " ", "a b", "ü/\"'\\", "x".repeat(255)];
  for (const name of names) await purge(name, "all/pool");
  const found: string[] = [];
  let continuationToken: string | undefined;
  do {
    const page = await client.allPurgeRequests({
      query: { limit: "1", ...(continuationToken && { continuationToken }) },
    });
    expect(page.requests).toHaveLength(1);
    found.push(...page.requests.filter((one) => one.provisionerId === "all").map((one) => one.cacheName));
    ({ continuationToken } = page);
  } while (continuationToken !== undefined);
  expect(found.toSorted()).toEqual(names.toSorted());
});

test("a name with a NUL character is refused, since no cache can have it", async () => {
  await expect(purge("a\0b")).rejects.toMatchObject({ code: "InputError" });
});

test("a pool has requests for at most 10,000 caches, which can be repeated", async () => {
  await stack.database.db.run(sql`
    insert into purge_requests (worker_pool_id, cache_name, before, expires)
    select 'full/pool', 'cache ' || n, ${now()}, ${new Date(clock.now() + day).toISOString()}
    from generate_series(1, 10000) n`);
  await expect(purge("one more", "full/pool")).rejects.toMatchObject({ code: "RequestConflict" });
  await purge("cache 1", "full/pool");
});

test("requests are removed after a day", async () => {
  const pool = "test-pool/expiry";
  await purge("cache", pool);
  await clock.advance(day - 1);
  await stack.runLoop("purge-request-expiry");
  expect(await namesOf(pool)).toEqual(["cache"]);
  await clock.advance(2);
  await stack.runLoop("purge-request-expiry");
  expect(await namesOf(pool)).toEqual([]);
});
