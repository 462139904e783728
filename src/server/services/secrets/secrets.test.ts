// Secrets over HTTP: from set to expiry, what is stored, and what errors and logs show.
import Type from "typebox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { manualClock, type ManualClock } from "../../../../test/support/clock.ts";
import { rawCall, type RawRequest } from "../../../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { storedTexts } from "../../../../test/support/stored-texts.ts";
import { sql } from "../../core/sql.ts";

const HOUR = 3_600_000;
const mark = "hidden-7d1f";

let stack: Stack;
let clock: ManualClock;
let secrets: Stack["client"]["secrets"];
beforeAll(async () => {
  clock = manualClock(Date.now());
  stack = await testStack({ manualLoops: true, clock });
  ({ secrets } = stack.client);
});
afterAll(() => stack.stop());

const inHours = (n: number): string => new Date(clock.now() + n * HOUR).toISOString();
const raw = (request: Partial<RawRequest> & Pick<RawRequest, "path">) =>
  rawCall(stack.rootUrl, { method: "GET", credentials: stack.rootCredentials, now: clock.now(), ...request });
const path = (name: string): string => `/api/secrets/v1/secret/${name}`;
const notFound = { code: "ResourceNotFound", statusCode: 404 };

const Entry = Type.Object({ entity_type: Type.String(), client_id: Type.String(), action: Type.String() });
const history = async (name: string) =>
  (
    await stack.database.db.many(
      Entry,
      sql`select entity_type, client_id, action from audit_log where entity_id = ${name} order by id`,
    )
  ).map((entry) => `${entry.entity_type} ${entry.action} by ${entry.client_id}`);

describe("a secret", () => {
  it("is set, replaced, read and removed, and each change is in the audit log", async () => {
    const name = "project/a/key";
    const [first, second] = [inHours(1), inHours(2)];
    await expect(secrets.get({ name })).rejects.toMatchObject({
      ...notFound,
      message: expect.stringContaining(
        'There is no secret "project/a/key", or it has expired: check the name',
      ),
    });
    expect(await raw({ method: "DELETE", path: path(name) })).toMatchObject({ status: 200, body: {} });
    expect(await history(name)).toEqual([]);

    const set = {
      method: "PUT",
      path: path(name),
      body: JSON.stringify({ secret: { a: [1] }, expires: first }),
    };
    expect(await raw(set)).toMatchObject({ status: 200, body: {} });
    expect(await secrets.get({ name })).toEqual({ secret: { a: [1] }, expires: first });
    const body = { secret: { "b \0": { c: "é" } }, expires: second };
    for (const client of [stack.client, stack.client, stack.limited([`secrets:set:${name}`])])
      await client.secrets.set({ name }, body);
    expect(await secrets.get({ name })).toEqual(body);
    await secrets.remove({ name });
    await secrets.remove({ name });
    await expect(secrets.get({ name })).rejects.toMatchObject(notFound);
    const root = stack.rootCredentials.clientId;
    expect(await history(name)).toEqual(
      ["created", "updated", "updated", "updated", "deleted"].map((action) => `secret ${action} by ${root}`),
    );
  });

  it.each([
    ["a/b/c", "a%2Fb%2Fc"],
    ["a//b", "a%2F%2Fb"],
    ["a/", "a%2F"],
    ["a//", "a%2F%2F"],
    ["a%20b+c", "a%20b%2Bc"],
    ["%25%20%22%5C%3C%3E%7B%7D%7C%5E%60%23%3F", "%25%20%22%5C%3C%3E%7B%7D%7C%5E%60%23%3F"],
    ["repo:github.com/o/r:pr*", "repo%3Agithub.com%2Fo%2Fr%3Apr*"],
  ])("has the same name whether its slashes are encoded or not: %s", async (written, encoded) => {
    const name = decodeURIComponent(written);
    const set = { method: "PUT", body: JSON.stringify({ secret: { name }, expires: inHours(1) }) };
    expect((await raw({ ...set, path: path(written) })).status).toBe(200);
    expect((await raw({ path: path(encoded) })).body).toMatchObject({ secret: { name } });
    expect((await secrets.list()).secrets).toContain(name);
    expect(await stack.limited([`secrets:get:${name}`]).secrets.get({ name })).toMatchObject({
      secret: { name },
    });
    await secrets.remove({ name });
  });

  it.each(["%00", "%C3%A9", "a".repeat(1001)])("is refused with the name %j", async (name) => {
    const body = JSON.stringify({ secret: {}, expires: inHours(1) });
    const reply = await raw({ method: "PUT", path: path(name), body });
    expect([reply.status, reply.message]).toEqual([400, expect.stringMatching(/^Invalid URL patterns:/)]);
  });

  it("may have a megabyte, and is refused beyond two", async () => {
    const name = "large";
    const secret = { text: "x".repeat(2 ** 20), more: 'é\n"'.repeat(1000) };
    await secrets.set({ name }, { secret, expires: inHours(1) });
    expect(await secrets.get({ name })).toMatchObject({ secret });
    const larger = { secret: { text: "x".repeat(2 ** 21) }, expires: inHours(1) };
    await expect(secrets.set({ name }, larger)).rejects.toMatchObject({
      code: "InputTooLarge",
      message: expect.stringContaining("larger than the limit of 2097152 bytes"),
    });
    await secrets.remove({ name });
  });

  it("cannot be read after it expires, and is removed by the loop", async () => {
    await secrets.set({ name: "short" }, { secret: {}, expires: inHours(1) });
    await secrets.set({ name: "long" }, { secret: {}, expires: inHours(3) });
    await secrets.set({ name: "past" }, { secret: {}, expires: inHours(-1) });
    await expect(secrets.get({ name: "past" })).rejects.toMatchObject(notFound);
    expect((await secrets.list()).secrets).toEqual(["long", "short"]);
    clock.setNow(clock.now() + HOUR);
    await expect(secrets.get({ name: "short" })).rejects.toMatchObject(notFound);
    expect((await secrets.list()).secrets).toEqual(["long"]);
    await stack.runLoop("secret-expiry");
    const Name = Type.Object({ name: Type.String() });
    expect(await stack.database.db.many(Name, sql`select name from secrets`)).toEqual([{ name: "long" }]);
    // It can be set again.
    await secrets.set({ name: "short" }, { secret: { a: 1 }, expires: inHours(1) });
    expect(await secrets.get({ name: "short" })).toMatchObject({ secret: { a: 1 } });
  });

  it("is created once by concurrent calls", async () => {
    const name = "concurrent";
    const set = (n: number) => secrets.set({ name }, { secret: { n }, expires: inHours(1) });
    await Promise.all(Array.from({ length: 10 }, (_, n) => set(n)));
    const actions = await history(name);
    expect(actions.filter((entry) => entry.includes("created"))).toHaveLength(1);
    expect(actions).toHaveLength(10);
  });
});

describe("nobody but its readers sees a secret", () => {
  it("in the database, in the log, or in the errors of a call", async () => {
    const expires = inHours(1);
    await secrets.set({ name: "marked" }, { secret: { [mark]: `${mark}-value` }, expires });
    const bodies = [
      { secret: mark, expires },
      { secret: { a: mark }, expires: "tomorrow" },
      { secret: { a: mark }, expires, [`x`]: mark },
      { secrets: { a: mark }, expires },
      { sekret: mark },
      [mark],
      { secret: [mark], expires },
    ].map((body) => JSON.stringify(body));
    bodies.push(
      `{"secret": {"a": "${mark}"`,
      `{"secret": ${mark}}`,
      `"${mark}"`,
      `{"a": 1e999, "b": "${mark}"}`,
    );
    for (const body of bodies) {
      const reply = await raw({ method: "PUT", path: path("marked"), body });
      expect([body, reply.status]).toEqual([body, 400]);
      expect(JSON.stringify(reply.body)).not.toContain(mark);
    }
    const { body } = await raw({
      method: "PUT",
      path: path("marked"),
      body: JSON.stringify({ secret: mark, expires, sekret: mark }),
    });
    expect(body).toMatchObject({
      requestInfo: { payload: { secret: "(OMITTED)", sekret: "(OMITTED)", expires } },
    });
    // The name of a secret is not hidden, so the texts below are complete.
    const stored = await storedTexts(stack.database.db);
    expect(stored).toContain("marked");
    expect(stored).not.toContain(mark);
    const logged = JSON.stringify(stack.records);
    expect(logged).not.toContain(mark);
  });

  it("when a row was changed in the database: the call fails, and the log names the row", async () => {
    await secrets.set({ name: "own" }, { secret: { a: mark }, expires: inHours(1) });
    await secrets.set({ name: "other" }, { secret: { a: "b" }, expires: inHours(1) });
    await stack.database.db.run(
      sql`update secrets set secret = (select secret from secrets where name = 'own') where name = 'other'`,
    );
    await expect(secrets.get({ name: "other" })).rejects.toMatchObject({ code: "InternalServerError" });
    const logged = JSON.stringify(stack.records);
    expect(logged).toContain('secrets.secret of \\"other\\" cannot be decrypted');
    expect(logged).not.toContain(mark);
  });
});
