// Entries and namespaces over HTTP.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import Type from "typebox";
import { manualClock } from "../../../../test/support/clock.ts";
import { rawCall } from "../../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { slugid } from "../../../lib/slugid.ts";
import { sql } from "../../core/sql.ts";

const hour = 3_600_000;
const day = 24 * hour;
// Six hours before midnight.
const clock = manualClock(Date.UTC(2026, 0, 1, 18));
let stack: Stack;
let index: Stack["client"]["index"];
beforeAll(async () => {
  stack = await testStack({ clock, manualLoops: true, config: { access: "closed" } });
  ({ index } = stack.client);
});
afterAll(() => stack.stop());

const at = (ms: number) => new Date(clock.now() + ms).toISOString();
const entry = (of: { rank?: number; data?: object; expires?: string; taskId?: string } = {}) => ({
  taskId: slugid(),
  rank: 0,
  data: {},
  expires: at(2 * hour),
  ...of,
});
const insert = (namespace: string, of: Parameters<typeof entry>[0] = {}) =>
  index.insertTask({ namespace }, entry(of));
const find = (indexPath: string) => index.findTask({ indexPath });
const namesIn = async (namespace: string) =>
  (await index.listNamespaces({ namespace })).namespaces.map(({ name }) => name);
const pathsIn = async (namespace: string) =>
  (await index.listTasks({ namespace })).tasks.map((task) => task.namespace);
const missing = { statusCode: 404, code: "ResourceNotFound" };
const raw = (method: string, path: string, body?: string) =>
  rawCall(stack.rootUrl, {
    method,
    path: `/api/index/v1${path}`,
    body,
    credentials: stack.rootCredentials,
    now: clock.now(),
  });

describe("an entry", () => {
  it("is found at its path with what was inserted, until it expires", async () => {
    const inserted = entry({ rank: -1.5, data: { "a\0": ["é", null] } });
    const reply = await index.insertTask({ namespace: "a.b-c.!~*'()%_" }, inserted);
    expect(reply).toEqual({ namespace: "a.b-c.!~*'()%_", ...inserted });
    expect(await find("a.b-c.!~*'()%_")).toEqual(reply);
    await expect(find("a.b-c")).rejects.toMatchObject({
      ...missing,
      message: expect.stringContaining('No task is indexed at "a.b-c"'),
    });
    await insert("soon", { expires: at(0) });
    await expect(find("soon")).rejects.toMatchObject(missing);
  });

  it("is replaced by one of the same or a higher rank, with all of its members", async () => {
    await insert("rank.x", { rank: 2, expires: at(3 * hour), data: { first: true } });
    for (const rank of [2, 3]) {
      const next = entry({ rank, expires: at(hour) });
      expect(await index.insertTask({ namespace: "rank.x" }, next)).toEqual({ namespace: "rank.x", ...next });
    }
    const current = await find("rank.x");
    expect(await insert("rank.x", { rank: 2.99, expires: at(9 * hour) })).toEqual(current);
    expect(await find("rank.x")).toEqual(current);
  });

  it("that has expired still keeps its rank until it is removed, as in Taskcluster", async () => {
    await insert("leftover.x", { rank: 5, expires: at(0) });
    await insert("leftover.x", { rank: 4 });
    await expect(find("leftover.x")).rejects.toMatchObject(missing);
    await stack.runLoop("index-expiry");
    await insert("leftover.x", { rank: 4 });
    expect(await find("leftover.x")).toMatchObject({ rank: 4 });
  });

  it("can be deleted, also if it does not exist", async () => {
    await insert("deleted.x");
    for (let n = 0; n < 2; n++) {
      const { status, body } = await raw("DELETE", "/task/deleted.x");
      expect([status, body]).toEqual([200, {}]);
    }
    await expect(find("deleted.x")).rejects.toMatchObject(missing);
  });

  it("has a path of at most 255 characters, of up to 128 parts", async () => {
    const deepest = Array.from({ length: 128 }, () => "d").join(".");
    expect(await insert(deepest)).toMatchObject({ namespace: deepest });
    expect(await find(deepest)).toMatchObject({ namespace: deepest });
    expect(await namesIn(deepest.slice(0, 251))).toEqual(["d"]);
    for (const path of [`${deepest}d`, "x".repeat(256), "x.".repeat(3000) + "x"])
      await expect(insert(path)).rejects.toMatchObject({
        statusCode: 400,
        message: expect.stringContaining(
          `The path has ${path.length} characters, but at most 255 are possible`,
        ),
      });
    await expect(find("x".repeat(3000))).rejects.toMatchObject(missing);
  });

  it.each(["a.", ".a", "a..b", "a/b", "a b", "é"])("has no path such as '%s'", async (path) => {
    const { status } = await raw("GET", `/task/${encodeURIComponent(path)}`);
    expect(status).toBe(400);
  });
});

describe("a namespace", () => {
  it("exists above each entry, until the midnight after the last one expires", async () => {
    await insert("life.a.x", { expires: at(2 * hour) });
    const midnight = "2026-01-02T00:00:00.000Z";
    expect(await index.listNamespaces({ namespace: "life" })).toEqual({
      namespaces: [{ namespace: "life.a", name: "a", expires: midnight }],
    });
    await insert("life.a.y", { expires: midnight });
    await insert("life.a.z", { expires: at(hour) });
    const { namespaces } = await index.listNamespaces({ namespace: "life" });
    expect(namespaces).toMatchObject([{ expires: "2026-01-03T00:00:00.000Z" }]);
    await insert("life.forever.x", { expires: "9999-12-31T23:59:59.999Z" });
    expect(await namesIn("life")).toEqual(["a", "forever"]);
  });

  it("is not written again by entries that do not outlive it", async () => {
    const Version = Type.Object({ xmin: Type.String(), xmax: Type.String() });
    const version = () =>
      stack.database.db.maybeOne(
        Version,
        sql`select xmin::text, xmax::text from index_namespaces where parent = '' and name = 'hot'`,
      );
    await insert("hot.x");
    const before = await version();
    await Promise.all(Array.from({ length: 50 }, (_, n) => insert(`hot.${n}`)));
    expect(await version()).toEqual(before);
    await insert("hot.later", { expires: at(2 * day) });
    expect(await version()).not.toEqual(before);
  });

  it("is extended by concurrent inserts without deadlocks", async () => {
    const Deadlocks = Type.Object({ deadlocks: Type.Integer() });
    const paths = ["c.a.b.c", "c.b.a.c", "c.a.c.b", "c.c.b.a", "c.b.c.a"];
    await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        insert(paths[n % paths.length] ?? "", { rank: n, expires: at(n * day) }),
      ),
    );
    const { namespaces } = await index.listNamespaces({ namespace: "c" });
    const last = new Date(Date.UTC(2026, 0, 1 + 99 + 1)).toISOString();
    expect(
      namespaces
        .map(({ expires }) => expires)
        .toSorted()
        .at(-1),
    ).toBe(last);
    const row = await stack.database.db.maybeOne(
      Deadlocks,
      sql`select deadlocks from pg_stat_database where datname = current_database()`,
    );
    expect(row).toEqual({ deadlocks: 0 });
  });
});

describe("lists", () => {
  beforeAll(async () => {
    for (const path of ["list.b.x", "list.B.x", "list.a.x.y", "list.t2", "list.t1", "top"])
      await insert(path);
    await insert("list.old.x", { expires: "2025-01-01T00:00:00.000Z" });
    await insert("list.old", { expires: at(0) });
  });

  it("have what is directly in a namespace and has not expired, in the order of bytes", async () => {
    expect(await namesIn("list")).toEqual(["B", "a", "b"]);
    expect(await pathsIn("list")).toEqual(["list.t1", "list.t2"]);
    expect(await namesIn("list.a")).toEqual(["x"]);
    expect(await pathsIn("no.such")).toEqual([]);
  });

  it.each(["", "/"])("of the top level have a path that ends with '%s'", async (end) => {
    for (const method of ["GET", "POST"]) {
      const body = method === "POST" ? "{}" : undefined;
      const namespaces = await raw(method, `/namespaces${end}`, body);
      const tasks = await raw(method, `/tasks${end}`, body);
      expect(namespaces.body).toMatchObject({
        namespaces: expect.arrayContaining([expect.objectContaining({ name: "list" })]),
      });
      expect(tasks.body).toMatchObject({
        tasks: expect.arrayContaining([expect.objectContaining({ namespace: "top" })]),
      });
    }
    expect(await namesIn("")).toContain("list");
    expect(await pathsIn("")).toContain("top");
  });

  it("may be requested by POST, as old clients do, with the page in the body", async () => {
    const page = await raw("POST", "/namespaces/list", '{"limit":2}');
    expect(page.body).toMatchObject({ namespaces: [{ name: "B" }, { name: "a" }] });
    const { continuationToken } = page.body as { continuationToken: string };
    const next = await raw("POST", "/namespaces/list", JSON.stringify({ continuationToken }));
    expect(next.body).toMatchObject({ namespaces: [{ namespace: "list.b", name: "b" }] });
    for (const body of [undefined, "{}"])
      expect((await raw("POST", "/tasks/list", body)).body).toMatchObject({
        tasks: [{ namespace: "list.t1" }, { namespace: "list.t2" }],
      });
    expect((await raw("POST", "/namespaces/list")).status).toBe(400);
    expect((await raw("POST", "/namespaces/list?limit=1", "{}")).status).toBe(400);
  });

  it("take encoded namespaces", async () => {
    const { body } = await raw("GET", "/namespaces/list%2Ea");
    expect(body).toMatchObject({ namespaces: [{ namespace: "list.a.x" }] });
  });

  it("end a page before its data has too many bytes", async () => {
    const data = { text: "x".repeat(900_000) };
    for (let n = 10; n < 22; n++) await insert(`large.${n}`, { data });
    const { tasks, continuationToken } = await index.listTasks({ namespace: "large" });
    expect(tasks.length).toBeLessThan(12);
    const rest = await index.listTasks({ namespace: "large" }, { query: { continuationToken } });
    expect(tasks.length + rest.tasks.length).toBe(12);
    const indexes = Array.from({ length: 12 }, (_, n) => `large.${n + 10}`);
    const found = await index.findTasksAtIndex({ indexes });
    expect(found.tasks).toEqual(tasks);
  });
});

describe("findTasksAtIndex", () => {
  it("returns the entries that exist, each once, also expired ones, but none at the top level", async () => {
    await insert("many.b.x");
    await insert("many.a.x", { expires: at(0) });
    await insert("many-top");
    const indexes = ["many.b.x", "many-top", "many.missing", "many.a.x", "many.b.x", "\0", "a b.c", "", "."];
    const { tasks } = await index.findTasksAtIndex({ indexes });
    expect(tasks.map(({ namespace }) => namespace)).toEqual(["many.a.x", "many.b.x"]);
    expect(await index.findTasksAtIndex({})).toEqual({ tasks: [] });
  });

  it("requires the scopes of all paths", async () => {
    const { index: limited } = stack.limited(["index:find-task:mine.*"]);
    const indexes = Array.from({ length: 2500 }, (_, n) => `mine.${n}`);
    expect(await limited.findTasksAtIndex({ indexes })).toEqual({ tasks: [] });
    await expect(limited.findTasksAtIndex({ indexes: [...indexes, "other"] })).rejects.toMatchObject({
      statusCode: 403,
      message: expect.stringContaining("index:find-task:other"),
    });
  });
});

it("expired entries and namespaces are removed in batches", async () => {
  await stack.runLoop("index-expiry");
  await stack.database.db.run(sql`
    insert into index_tasks (namespace, name, task_id, rank, data, expires)
    select 'gone', n::text, 'x', 0, '{}', ${at(0)}::timestamptz from generate_series(1, 2500) n`);
  await stack.database.db.run(sql`
    insert into index_namespaces (parent, name, expires)
    select 'gone', n::text, ${at(0)}::timestamptz from generate_series(1, 2500) n`);
  await insert("gone.stays.x");
  await stack.runLoop("index-expiry");
  const Left = Type.Object({ tasks: Type.Integer(), namespaces: Type.Integer() });
  const left = await stack.database.db.maybeOne(
    Left,
    sql`select (select count(*) from index_tasks where namespace like 'gone%') as tasks,
      (select count(*) from index_namespaces where parent = 'gone') as namespaces`,
  );
  expect(left).toEqual({ tasks: 1, namespaces: 1 });
});
