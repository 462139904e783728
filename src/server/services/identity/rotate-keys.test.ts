// The rotation of keys in two servers on one database.
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, type JSONWebKeySet } from "jose";
import Type from "typebox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { manualClock } from "../../../../test/support/clock.ts";
import { claimOne, createTask } from "../../../../test/support/factories.ts";
import { testStack, type Stack } from "../../../../test/support/stack.ts";
import { eventually } from "../../../../test/support/until.ts";
import type { Client } from "../../../client/index.ts";
import { sql } from "../../core/sql.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const clock = manualClock();
const config = { identity: { tokenLifetime: hour }, queue: { claimTimeout: 2 * hour } };
let here: Stack;
let there: Stack;
beforeAll(async () => {
  here = await testStack({ clock, manualLoops: true, config });
  there = await testStack({ clock, manualLoops: true, config, database: here.database });
});
afterAll(async () => {
  await there.stop();
  await here.stop();
});

const publishedBy = async (stack: Stack): Promise<JSONWebKeySet> =>
  (await (await fetch(`${stack.rootUrl}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
const kidsOf = async (stack: Stack) => (await publishedBy(stack)).keys.map(({ kid }) => kid);
/** Waits until both servers publish these keys. Moves the clock a little, because wake-ups are sent at intervals. */
const expectPublished = (...kids: unknown[]) =>
  eventually(async () => {
    await clock.advance(20);
    expect([await kidsOf(here), await kidsOf(there)]).toEqual([kids, kids]);
  });
const runRotation = async () => {
  await Promise.all([here, there].map((stack) => stack.runLoop("oidc-key-rotation")));
};

/** Returns a token of a new task. Both servers sign with the same key. */
async function newToken(): Promise<string> {
  const taskQueueId = "test/rotation";
  await createTask(here.client, { taskQueueId, scopes: ["auth:oidc-token:a"] }, clock.now());
  const { credentials } = await claimOne(here.client, taskQueueId);
  const calls = [here, there].map((stack) => stack.as(credentials).identity.oidcToken({ audience: "a" }));
  const [one, other] = await Promise.all(calls);
  expect(kidOf(one?.token)).toBe(kidOf(other?.token));
  return other?.token ?? "";
}
const StoredKey = Type.Object({ kid: Type.String(), erased: Type.Boolean() });
const storedKeys = () =>
  here.database.db.many(
    StoredKey,
    sql`select kid, private_key is null as erased from oidc_keys order by generation`,
  );
const kidOf = (token = ""): string | undefined => decodeProtectedHeader(token).kid;
const verify = async (token: string, keys: JSONWebKeySet) =>
  (await jwtVerify(token, createLocalJWKSet(keys), { currentDate: new Date(clock.now()) })).payload;
const auditOf = async (client: Client, entityId = "") =>
  (await client.auth.getEntityHistory({ entityType: "oidc-key", entityId })).auditHistory.map(
    ({ actionType, clientId }) => `${actionType} by ${clientId}`,
  );

it("both servers publish one first key, which signs immediately, also if they are asked at the same time", async () => {
  const [a, b] = await Promise.all([kidsOf(here), kidsOf(there)]);
  expect(a).toEqual(b);
  expect(a).toHaveLength(1);
  const token = await newToken();
  expect(kidOf(token)).toBe(a[0]);
  expect(await auditOf(here.client, a[0])).toEqual(["created by (server)"]);
});

it("a key is replaced by its age: the next one is published before it signs, the old one until its tokens have expired", async () => {
  const [first] = await kidsOf(here);
  clock.setNow(clock.now() + 30 * day - minute);
  await runRotation();
  await expectPublished(first);
  await clock.advance(minute);
  await runRotation();
  const second = (await storedKeys())[1]?.kid;
  await expectPublished(first, second);
  await runRotation();
  await expectPublished(first, second);
  expect(kidOf(await newToken())).toBe(first);

  await clock.advance(14 * minute);
  const last = await newToken();
  expect(kidOf(last)).toBe(first);
  await clock.advance(minute);
  expect(kidOf(await newToken())).toBe(second);

  await clock.advance(58 * minute);
  await runRotation();
  expect(await verify(last, await publishedBy(there))).toMatchObject({ aud: "a" });
  expect(await storedKeys()).toEqual([
    { kid: first, erased: true },
    { kid: second, erased: false },
  ]);
  await clock.advance(8 * minute);
  await runRotation();
  await expectPublished(second);
});

it("a rotation by request is like that by age, and is not repeated while the next key does not sign yet", async () => {
  const [first] = await kidsOf(here);
  const now = clock.now();
  const calls = [here, there].map((stack) => stack.client.identity.rotateOidcKeys({}));
  const [reply] = await Promise.all(calls);
  const again = await here.client.identity.rotateOidcKeys({ revoke: false });
  expect(again.keys).toEqual([
    { kid: first, created: expect.any(String), signsFrom: expect.any(String) },
    {
      kid: reply?.keys[1]?.kid,
      created: new Date(now).toISOString(),
      signsFrom: new Date(now + 15 * minute).toISOString(),
    },
  ]);
  await expectPublished(first, again.keys[1]?.kid);
  expect(kidOf(await newToken())).toBe(first);
});

it("a revocation removes all other keys from both servers, and the new one signs immediately", async () => {
  const token = await newToken();
  const first = kidOf(token);
  const { keys } = await there.client.identity.rotateOidcKeys({ revoke: true });
  const [only] = keys;
  expect(keys).toHaveLength(1);
  expect(only?.kid).not.toBe(first);
  await expectPublished(only?.kid);
  await expect(verify(token, await publishedBy(here))).rejects.toThrow("no applicable key found");
  const next = await newToken();
  expect(kidOf(next)).toBe(only?.kid);
  expect(await verify(next, await publishedBy(there))).toMatchObject({ aud: "a" });
  expect(await auditOf(here.client, first)).toEqual([
    "revoked by static/taskcluster/root",
    "created by (server)",
  ]);
  expect(await auditOf(here.client, only?.kid)).toEqual(["created by static/taskcluster/root"]);
});
