// Every method of the contract that requires scopes is refused to callers without them, and then changes nothing.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  exampleBody,
  exampleParam,
  createKnown,
  methods,
  paramsOf,
  pathOf,
  type Known,
  type Method,
} from "../../test/support/contract-calls.ts";
import { fingerprinter } from "../../test/support/fingerprint.ts";
import { rawCall, type RawReply } from "../../test/support/raw-call.ts";
import { testStack, type Stack } from "../../test/support/stack.ts";

let stack: Stack;
let known: Known;
let fingerprint: () => Promise<string[]>;
beforeAll(async () => {
  // A caller without credentials may do nothing.
  stack = await testStack({
    roles: ["api"],
    config: { auth: { anonymousScopes: [] }, queue: { claimWorkTimeout: 50 } },
  });
  known = await createKnown(stack);
  fingerprint = await fingerprinter(stack.database.db);
});
afterAll(() => stack.stop());

/** Methods that check something else before the scopes, as Taskcluster does. */
const refusedBefore: Readonly<Record<string, string>> = {
  "queue.cancelTaskGroup": "RequestConflict",
};

async function call(
  method: Method,
  scopes?: readonly string[],
): Promise<Pick<RawReply, "status" | "code" | "message">> {
  const values = paramsOf(method).map((name) => [name, exampleParam(method, name, known)]);
  const body = exampleBody(method, known);
  return rawCall(stack.rootUrl, {
    method: method.of.method,
    path: pathOf(method, Object.fromEntries(values)),
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(scopes && { credentials: stack.rootCredentials, authorizedScopes: scopes }),
  });
}

const guarded = methods.filter(({ of }) => of.scopes !== undefined);

describe.each(guarded.map((method) => [method.name, method] as const))("%s", (name, method) => {
  it("is refused without scopes and with others, and changes nothing", async () => {
    const before = await fingerprint();
    const expected = refusedBefore[name] ?? "InsufficientScopes";
    const anonymous = await call(method);
    expect([anonymous.code, anonymous.message]).toEqual([expected, expect.any(String)]);
    const other = await call(method, ["some:other-scope", "auth:no-such-thing"]);
    expect([other.code, other.message]).toEqual([expected, expect.any(String)]);
    if (expected === "InsufficientScopes") {
      expect([anonymous.status, other.status]).toEqual([403, 403]);
      expect(other.message).toContain("missing the following scopes");
    }
    expect(await fingerprint()).toEqual(before);
  });
});

it("only these methods require no scopes", () => {
  const open = methods.filter(({ of }) => of.scopes === undefined).map(({ name }) => name);
  expect(open.filter((name) => !/\.(ping|lbheartbeat|version|heartbeat)$/.test(name))).toEqual([
    "auth.authenticateHawk",
    "auth.testAuthenticate",
    "auth.testAuthenticateGet",
  ]);
});
