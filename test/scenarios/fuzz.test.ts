// No request makes the server fail: every method accepts or refuses whatever it is sent, and a refused request changes
// nothing in the database.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anyText } from "../support/arbitrary-text.ts";
import { almostValid, valid } from "../support/arbitrary-json.ts";
import {
  encode,
  exampleBody,
  createKnown,
  methods,
  paramsOf,
  paramValue,
  pathOf,
  type Known,
  type Method,
} from "../support/contract-calls.ts";
import { fingerprinter } from "../support/fingerprint.ts";
import { rawCall } from "../support/raw-call.ts";
import { testStack, type Stack } from "../support/stack.ts";
import { slugid } from "../../src/lib/slugid.ts";

let stack: Stack;
let known: Known;
let fingerprint: () => Promise<string[]>;
beforeAll(async () => {
  // Without loops, whose changes would be detected; and with claims that do not wait.
  stack = await testStack({ roles: ["api"], config: { queue: { claimWorkTimeout: 1 } } });
  known = await createKnown(stack);
  fingerprint = await fingerprinter(stack.database.db);
});
afterAll(() => stack.stop());

const strangeQuery = fc.tuple(
  fc.constantFrom("limit", "continuationToken", "bewit", "x"),
  fc.oneof(
    anyText(),
    fc.jsonValue().map((json) => Buffer.from(JSON.stringify([json])).toString("base64url")),
    fc.nat().map(String),
  ),
);

/** Mostly no query, otherwise one with a parameter of the method or with another. */
function queryOf({ of }: Method): fc.Arbitrary<string> {
  const own = Object.entries(of.query ?? {}).map(([name, pattern]) =>
    fc.tuple(fc.constant(name), fc.stringMatching(pattern)),
  );
  const pair = fc.oneof(strangeQuery, ...own);
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant("") },
    { weight: own.length > 0 ? 6 : 2, arbitrary: pair.map(([key, value]) => `?${key}=${encode(value)}`) },
  );
}

function bodyOf(method: Method): fc.Arbitrary<unknown> {
  const { body } = method.of;
  if (!body) return fc.option(fc.jsonValue(), { nil: undefined });
  const values = fc.constant(null).map(() => exampleBody(method, known));
  return fc.oneof(
    { weight: 2, arbitrary: values },
    { weight: 6, arbitrary: almostValid(values) },
    { weight: 1, arbitrary: valid(body.schema) },
    { weight: 2, arbitrary: almostValid(valid(body.schema)) },
  );
}

/** Returns copies of a value in each of which one text has a character that the database cannot store. */
function unstorable(value: unknown): unknown[] {
  if (typeof value === "string") return [`${value}\0`, `${value}\ud800`];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    unstorable(member).map((bad) =>
      Array.isArray(value)
        ? value.map((one: unknown, i) => (i === Number(key) ? bad : one))
        : { ...value, [key]: bad },
    ),
  );
}

/** Methods that use up their id: with the same one, every later call would be refused. */
const isCreation = ({ name }: Method): boolean => ["queue.createTask", "queue.defineTask"].includes(name);

describe.each(methods.map((method) => [method.name, method] as const))("%s", (_, method) => {
  const { of } = method;
  it("accepts or refuses any request, and changes nothing if it refuses", async () => {
    const names = paramsOf(method);
    const fresh = fc.constant("").map(() => slugid());
    const values = names.map((name) => {
      const value = paramValue(method, name, known);
      return isCreation(method) ? fc.oneof(fresh, value) : value;
    });
    // After a refusal the fingerprint is still valid for the next call.
    let before: string[] | undefined;
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(...values),
        queryOf(method),
        bodyOf(method),
        async (params, search, value) => {
          before ??= await fingerprint();
          const reply = await rawCall(stack.rootUrl, {
            method: of.method,
            path:
              pathOf(method, Object.fromEntries(names.map((name, i) => [name, params[i] ?? ""]))) + search,
            ...(of.method !== "GET" && value !== undefined && { body: JSON.stringify(value) }),
            credentials: stack.rootCredentials,
          });
          expect(reply.status, reply.message).toBeLessThan(500);
          // 424 is the reply for an artifact of type error.
          if (reply.status < 400 || reply.status === 424) before = undefined;
          else {
            expect(await fingerprint()).toEqual(before);
            if (reply.status !== 404) expect(reply.code).toMatch(/^[A-Z]/);
          }
        },
      ),
      { numRuns: of.body ? 28 : names.length > 0 ? 8 : 3 },
    );
  });

  if (of.body === undefined) return;
  it("refuses or stores a text with NUL or half of a surrogate pair, without an error of the server", async () => {
    for (const bad of unstorable(exampleBody(method, known))) {
      const params = Object.fromEntries(
        paramsOf(method).map((name) => [name, isCreation(method) ? slugid() : (known[name]?.[0] ?? "a")]),
      );
      const reply = await rawCall(stack.rootUrl, {
        method: of.method,
        path: pathOf(method, params),
        body: JSON.stringify(bad),
        credentials: stack.rootCredentials,
      });
      expect(reply.status, `${JSON.stringify(bad)}: ${reply.message}`).toBeLessThan(500);
    }
  });
});
