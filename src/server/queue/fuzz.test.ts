// Nobody can make the queue fail: whatever is sent is done or refused, and what is refused leaves nothing behind.
import fc from "fast-check";
import Type from "typebox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nearly, valid } from "../../../test/support/arbitrary-json.ts";
import { createTask, taskDefinition } from "../../../test/support/factories.ts";
import { rawCall } from "../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../test/support/stack.ts";
import type { Endpoint } from "../../api/endpoint.ts";
import { artifactEndpoints } from "../../api/queue/artifact-endpoints.ts";
import { taskEndpoints, workerEndpoints } from "../../api/queue/endpoints.ts";
import { whyEndpoints } from "../../api/queue/why.ts";
import { slugid } from "../../lib/slugid.ts";
import { sql } from "../core/sql.ts";

let stack: Stack;
let known: string[] = [];
beforeAll(async () => {
  // No loop runs meanwhile, since what it does would be counted; and a claim does not wait.
  stack = await testStack({ roles: ["api"], config: { queue: { claimWorkTimeout: 1 } } });
  const first = await createTask(stack.client, { schedulerId: "s" });
  known = [first, await createTask(stack.client, { taskQueueId: "a/b" })];
  await stack.client.queue.claimTask(
    { taskId: known[1] ?? "", runId: 0 },
    { workerGroup: "g", workerId: "w" },
  );
});
afterAll(() => stack.stop());

const Counts = Type.Object({ rows: Type.String() });
/** The numbers of rows of every table. */
const rowCounts = async (): Promise<string | undefined> =>
  (
    await stack.database.db.maybeOne(
      Counts,
      sql`
      select concat_ws(' ',
        (select count(*) from tasks), (select count(*) from runs), (select count(*) from task_groups),
        (select count(*) from task_dependencies), (select count(*) from task_definitions),
        (select count(*) from artifacts), (select count(*) from events)) as rows`,
    )
  )?.rows;

/** A value for a parameter: mostly one that leads somewhere. */
const param = (name: string): fc.Arbitrary<string> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.nat({ max: 1 }).map((i) => (name.endsWith("Id") ? idFor(name, i) : "public/a")),
    },
    { weight: 1, arbitrary: fc.constant("").map(() => slugid()) },
    {
      weight: 2,
      arbitrary: fc.oneof(
        fc.string({ unit: "binary", minLength: 1, maxLength: 30 }),
        fc.constantFrom("99999999999999999999", "32768", "-1", "1e3", "\0", "..", "a/../b", "%2F", "é"),
      ),
    },
  );
function idFor(name: string, i: number): string {
  if (name === "runId") return String(i);
  if (name === "taskQueueId") return i === 0 ? "test/queue" : "a/b";
  return known[i] ?? "";
}

const query = fc.oneof(
  { weight: 8, arbitrary: fc.constant("") },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom("limit", "continuationToken", "bewit", "x"),
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.jsonValue().map((json) => Buffer.from(JSON.stringify([json])).toString("base64url")),
          fc.nat().map(String),
        ),
      )
      .map(([key, value]) => `?${key}=${encode(value)}`),
  },
);

/** Half a surrogate pair has no percent-encoding, so it goes as the byte that it begins with. */
const encode = (text: string): string => encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, "\u00ed"));

/** Bodies that are fine as they are, for what a schema alone would hardly ever find. */
const good: Readonly<Record<string, () => unknown>> = {
  createTask: () => ({
    ...taskDefinition(),
    schedulerId: "s",
    taskGroupId: known[0],
    dependencies: [known[0]],
    requires: "all-resolved",
    routes: ["a"],
    priority: "low",
    retries: 1,
    scopes: ["b:*"],
    tags: { c: "d" },
    extra: { e: [] },
  }),
  claimWork: () => ({ workerGroup: "g", workerId: "w", tasks: 2, claimId: slugid() }),
  claimTask: () => ({ workerGroup: "g", workerId: "w" }),
  reportException: () => ({ reason: "worker-shutdown" }),
  createArtifact: () => ({
    storageType: "reference",
    expires: new Date(Date.now() + 3_600_000).toISOString(),
    contentType: "text/plain",
    url: "https://example.com/",
  }),
};

function bodyOf(of: Endpoint): fc.Arbitrary<unknown> {
  if (!of.body) return fc.option(fc.jsonValue(), { nil: undefined });
  const values = fc.constant(null).map(() => good[of.name]?.());
  return fc.oneof(
    { weight: 2, arbitrary: values },
    { weight: 6, arbitrary: nearly(values) },
    { weight: 1, arbitrary: valid(of.body.schema) },
    { weight: 2, arbitrary: nearly(valid(of.body.schema)) },
  );
}

const endpoints: readonly Endpoint[] = Object.values({
  ...taskEndpoints,
  ...whyEndpoints,
  ...workerEndpoints,
  ...artifactEndpoints,
});

describe.each(endpoints.map((of) => [of.name, of] as const))("%s", (_, of) => {
  it("does or refuses whatever it is asked, and what it refuses leaves nothing behind", async () => {
    const names = [...of.path.matchAll(/[:*](\w+)/g)].map(([, name = ""]) => name);
    // A task that is known can be created only once.
    const fresh = fc.constant("").map(() => slugid());
    const params = fc.tuple(
      ...names.map((name) => (of.name === "createTask" ? fc.oneof(fresh, param(name)) : param(name))),
    );
    const body = bodyOf(of);
    await fc.assert(
      fc.asyncProperty(params, query, body, async (values, search, value) => {
        const given = new Map(names.map((name, i) => [name, values[i] ?? ""]));
        const path = of.path.replaceAll(/[:*](\w+)/g, (_, name: string) => encode(given.get(name) ?? ""));
        const before = await rowCounts();
        const reply = await rawCall(stack.rootUrl, {
          method: of.method,
          path: `/api/queue/v1${path}${search}`,
          ...(of.method !== "GET" && value !== undefined && { body: JSON.stringify(value) }),
          credentials: stack.rootCredentials,
        });
        expect(reply.status, reply.message).toBeLessThan(500);
        // 424 is how an artifact is told that is an error.
        if (reply.status >= 400 && reply.status !== 424) {
          expect(await rowCounts()).toBe(before);
          if (reply.status !== 404) expect(reply.code).toMatch(/^[A-Z]/);
        }
      }),
      { numRuns: of.body ? 80 : 25 },
    );
  });
});
