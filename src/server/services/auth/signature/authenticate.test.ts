import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { testDirectory } from "../../../../../test/support/client-directory.ts";
import { manualClock } from "../../../../../test/support/clock.ts";
import { peerBewit, peerHeader, peerTemporaryCredentials } from "../../../../../test/support/hawk-peer.ts";
import { bewitText, encodeBewit, encodeExt, type HawkErrorKind } from "../../../../lib/hawk.ts";
import type { Role } from "../../../../lib/scopes/roles.ts";
import { createAuthenticator, type AuthResult, type SignedRequest } from "./authenticate.ts";
import type { Client } from "../directory/client-directory.ts";
import { payloadHash } from "./payload-hash.ts";
import { createTemporaryCredentials } from "./temporary-credentials.ts";

const minute = 60_000;
const hour = 60 * minute;

const anonymousRole: Role = { roleId: "anonymous", scopes: ["anonscope"] };

/** Returns an authenticator with a directory that tests can change, like one that follows a database. */
function setUp({ cacheSize }: { cacheSize?: number } = {}) {
  // The peer signs with the machine's time, so the clock starts there.
  const clock = manualClock(Date.now());
  const directory = testDirectory([], [anonymousRole, { roleId: "expansion", scopes: ["expanded"] }]);
  const set = (clientId: string, change: Partial<Client>): void => {
    const defaults: Client = {
      clientId,
      accessToken: `${clientId}-secret`,
      scopes: [],
      expires: clock.now() + 2 * hour,
      disabled: false,
    };
    directory.set({ ...defaults, ...directory.client(clientId), ...change });
  };
  set("root", { scopes: ["*"] });
  set("unpriv", { scopes: ["scope2"] });
  const authenticate = createAuthenticator({
    clients: directory,
    view: directory.view,
    clock,
    hawkSkewMs: 15 * minute,
    ...(cacheSize !== undefined && { cacheSize }),
  });
  return { clock, set, directory, authenticate };
}

const key = (id: string) => ({ id, key: `${id}-secret` });
const target = { method: "GET", resource: "/a/b?c=d", host: "Test.example.com", port: 443 };
const url = "https://test.example.com/a/b?c=d";

const byHeader = (
  credentials: { id: string; key: string },
  options: Parameters<typeof peerHeader>[3] = {},
): SignedRequest => ({ ...target, authorization: peerHeader(url, "GET", credentials, options) });

const byBewit = (
  credentials: { id: string; key: string },
  options: Parameters<typeof peerBewit>[2] = {},
): SignedRequest => ({
  ...target,
  resource: `${target.resource}&bewit=${peerBewit(url, credentials, options)}`,
});

function plain(result: AuthResult) {
  if (result.status === "auth-failed") return result;
  const { credentials: _, ...rest } = { credentials: undefined, ...result };
  return { ...rest, scopes: result.scopes.list };
}

const failed = (kind: HawkErrorKind, message: string) => ({
  status: "auth-failed",
  kind,
  message,
  advice: expect.stringMatching(/^[A-Z].*\.$/),
});

test("a caller without credentials has the anonymous scopes, for 15 minutes", () => {
  const { authenticate, clock } = setUp();
  expect(plain(authenticate(target))).toEqual({
    status: "no-auth",
    scheme: "none",
    scopes: ["anonscope", "assume:anonymous"],
    expires: clock.now() + 15 * minute,
  });
  expect(authenticate({ ...target, authorization: "" }).status).toBe("no-auth");
});

test("a header authenticates its signer until the client expires", () => {
  const { authenticate, clock } = setUp();
  expect(plain(authenticate(byHeader(key("root"))))).toEqual({
    status: "auth-success",
    scheme: "hawk",
    clientId: "root",
    scopes: ["*"],
    expires: clock.now() + 2 * hour,
  });
});

test("every caller has the anonymous scopes", () => {
  const result = setUp().authenticate(byHeader(key("unpriv")));
  expect(plain(result)).toMatchObject({ scopes: ["anonscope", "assume:anonymous", "scope2"] });
});

test("the scopes of a client are expanded", () => {
  const { authenticate, set } = setUp();
  set("unpriv", { scopes: ["assume:expansion"] });
  const scopes = ["anonscope", "assume:anonymous", "assume:expansion", "expanded"];
  expect(plain(authenticate(byHeader(key("unpriv"))))).toMatchObject({ scopes });
});

test("the hash of the body is returned, and is part of the signed text", () => {
  const { authenticate } = setUp();
  const request = byHeader(key("root"), { payload: "{}", contentType: "application/json" });
  const hash = payloadHash("application/json", "{}");
  expect(authenticate(request)).toMatchObject({ status: "auth-success", hash });
  const forged = request.authorization?.replace(hash, payloadHash("application/json", "[]"));
  expect(authenticate({ ...request, authorization: forged })).toEqual(failed("mac", "Unauthorized: Bad mac"));
  expect(authenticate(byHeader(key("root")))).not.toHaveProperty("hash");
});

test.each([
  ["method", { method: "PUT" }],
  ["path", { resource: "/a/b?c=e" }],
  ["host", { host: "other.example.com" }],
  ["port", { port: 80 }],
])("a header signed for another %s is refused", (_, change) => {
  expect(setUp().authenticate({ ...byHeader(key("root")), ...change })).toEqual(
    failed("mac", "Unauthorized: Bad mac"),
  );
});

test("a wrong key is refused, also after credentials of the same client were accepted", () => {
  const { authenticate } = setUp();
  expect(authenticate(byHeader(key("root"))).status).toBe("auth-success");
  const wrong = byHeader({ id: "root", key: "root-wrong-secret" });
  expect(authenticate(wrong)).toEqual(failed("mac", "Unauthorized: Bad mac"));
});

test("clocks may differ by up to fifteen minutes", () => {
  const { authenticate, clock } = setUp();
  const seconds = Math.floor(clock.now() / 1000);
  clock.setNow(seconds * 1000);
  for (const timestamp of [seconds - 900, seconds + 900]) {
    expect(authenticate(byHeader(key("root"), { timestamp })).status).toBe("auth-success");
  }
  const now = new Date(clock.now()).toISOString();
  const advice: [timestamp: number | string, advice: string][] = [
    [
      seconds - 901,
      `The request was signed 15 min before the time of this server, ${now}: synchronize the clocks`,
    ],
    [
      seconds + 7200,
      `The request was signed 120 min after the time of this server, ${now}: synchronize the clocks`,
    ],
    ["soon", "The timestamp must be in seconds since 1970."],
  ];
  for (const [timestamp, text] of advice) {
    const result = authenticate(byHeader(key("root"), { timestamp }));
    expect(result).toEqual(failed("time", "Unauthorized: Stale timestamp"));
    expect(result).toMatchObject({ advice: expect.stringContaining(text) });
  }
});

test("clients that may not sign are refused", () => {
  const { authenticate, set, clock } = setUp();
  const request = byHeader(key("unpriv"));
  expect(authenticate(byHeader(key("nobody")))).toEqual(
    failed("client", "Client with clientId 'nobody' not found"),
  );
  expect(authenticate(request).status).toBe("auth-success");
  set("unpriv", { disabled: true });
  expect(authenticate(request)).toEqual(failed("client", "Client with clientId 'unpriv' is disabled"));
  set("unpriv", { disabled: false, expires: clock.now() });
  expect(authenticate(request).status).toBe("auth-success");
  clock.setNow(clock.now() + 1);
  expect(authenticate(request)).toEqual(failed("client", "Client with clientId: 'unpriv' has expired"));
});

test("other schemes and invalid headers are refused", () => {
  const { authenticate } = setUp();
  expect(authenticate({ ...target, authorization: "Basic cm9vdDpyb290" })).toEqual(
    failed("form", "Unauthorized: the Authorization header must use the scheme Hawk, not Basic"),
  );
  expect(authenticate({ ...target, authorization: `Hawk ${"x".repeat(4096)}` })).toEqual(
    failed("form", "Bad Request: Header length too long"),
  );
});

test("a bewit authenticates its signer for reading, at any position in the query", () => {
  const { authenticate } = setUp();
  const success = { status: "auth-success", scheme: "hawk", clientId: "root" };
  expect(authenticate(byBewit(key("root")))).toMatchObject(success);
  expect(authenticate({ ...byBewit(key("root")), method: "head" })).toMatchObject(success);
  const bewit = peerBewit(url, key("root"));
  expect(authenticate({ ...target, resource: `/a/b?bewit=${bewit}&c=d` })).toMatchObject(success);
  const bare = peerBewit("https://test.example.com/a", key("root"));
  expect(authenticate({ ...target, resource: `/a?bewit=${bare}` })).toMatchObject(success);
});

test("invalid bewits are refused", () => {
  const { authenticate, clock } = setUp();
  const good = byBewit(key("root"));
  const withBewit = (bewit: string) => ({ ...target, resource: `${target.resource}&bewit=${bewit}` });
  const resultOf = (request: SignedRequest) => authenticate(request);
  expect(resultOf({ ...good, method: "POST" })).toEqual(failed("form", "Unauthorized: Invalid method"));
  expect(resultOf({ ...good, resource: good.resource.replace("c=d", "c=e") })).toEqual(
    failed("mac", "Unauthorized: Bad mac"),
  );
  expect(resultOf(byBewit({ id: "root", key: "no" }))).toEqual(failed("mac", "Unauthorized: Bad mac"));
  expect(resultOf(byBewit(key("root"), { ttlSec: -1 }))).toEqual(
    failed("time", "Unauthorized: Access expired"),
  );
  expect(resultOf(byBewit(key("nobody")))).toEqual(
    failed("client", "Client with clientId 'nobody' not found"),
  );
  expect(resultOf(withBewit(""))).toEqual(failed("form", "Unauthorized: Empty bewit"));
  expect(resultOf(withBewit("%41"))).toEqual(failed("form", "Bad Request: Invalid bewit encoding"));
  expect(resultOf(withBewit("dSlITZ4yQgmvxxAi4A8fHQ"))).toEqual(
    failed("form", "Bad Request: Invalid bewit structure"),
  );
  expect(resultOf(withBewit(encodeBewit({ id: "root", exp: "", mac: "m" })))).toEqual(
    failed("form", "Bad Request: Missing bewit attributes"),
  );
  expect(resultOf(withBewit("x".repeat(4096)))).toEqual(
    failed("form", "Bad Request: Resource path exceeds max length"),
  );
  clock.setNow(clock.now() + hour);
  expect(resultOf(good)).toEqual(failed("time", "Unauthorized: Access expired"));
});

test("a bewit expires at its second, and one without a number is always expired", () => {
  const { authenticate, clock } = setUp();
  const { host, port, resource } = target;
  const signed = (exp: number | string): SignedRequest => {
    const mac = createHmac("sha256", "root-secret")
      .update(bewitText({ exp, host, port, resource }))
      .digest("base64");
    return { ...target, resource: `${resource}&bewit=${encodeBewit({ id: "root", exp, mac })}` };
  };
  const exp = Math.floor(clock.now() / 1000) + 60;
  clock.setNow(exp * 1000 - 1);
  expect(authenticate(signed(exp)).status).toBe("auth-success");
  expect(authenticate(signed("never"))).toEqual(failed("time", "Unauthorized: Access expired"));
  clock.setNow(exp * 1000);
  expect(authenticate(signed(exp))).toEqual(failed("time", "Unauthorized: Access expired"));
});

test("a header together with a bewit is refused", () => {
  const { authorization } = byHeader(key("root"));
  expect(setUp().authenticate({ ...byBewit(key("root")), authorization })).toEqual(
    failed(
      "form",
      "Cannot use two authentication schemes at once: the request has both a bewit and an Authorization header",
    ),
  );
});

test("ext may be empty, and unknown members are ignored", () => {
  const { authenticate } = setUp();
  for (const text of ["{}", '{"somefield":"foo"}', '{"certificate":null,"authorizedScopes":null}']) {
    const ext = Buffer.from(text).toString("base64");
    expect(plain(authenticate(byHeader(key("root"), { ext })))).toMatchObject({ scopes: ["*"] });
    expect(plain(authenticate(byBewit(key("root"), { ext })))).toMatchObject({ scopes: ["*"] });
  }
  expect(authenticate(byHeader(key("root"), { ext: "abcd" }))).toEqual(failed("ext", "Failed to parse ext"));
  expect(authenticate(byBewit(key("root"), { ext: "abcd" }))).toEqual(failed("ext", "Failed to parse ext"));
});

const authorized = (...authorizedScopes: string[]) => encodeExt({ authorizedScopes });

test.each([
  ["header", byHeader],
  ["bewit", byBewit],
])("authorizedScopes of a %s replace the caller's scopes, and are expanded", (_, sign) => {
  const { authenticate } = setUp();
  const ext = authorized("scope1:*", "assume:expansion");
  expect(plain(authenticate(sign(key("root"), { ext })))).toMatchObject({
    scopes: ["anonscope", "assume:anonymous", "assume:expansion", "expanded", "scope1:*"],
  });
});

test("an empty list of authorizedScopes leaves the anonymous scopes", () => {
  const result = setUp().authenticate(byHeader(key("root"), { ext: authorized() }));
  expect(plain(result)).toMatchObject({ scopes: ["anonscope", "assume:anonymous"] });
});

test("authorizedScopes may contain scopes from a role, and anonymous scopes", () => {
  const { authenticate, set } = setUp();
  set("unpriv", { scopes: ["assume:expansion"] });
  const ext = authorized("expanded", "anonscope");
  expect(plain(authenticate(byHeader(key("unpriv"), { ext })))).toMatchObject({
    scopes: ["anonscope", "assume:anonymous", "expanded"],
  });
});

test("authorizedScopes beyond the caller's scopes are refused, with both lists", () => {
  const ext = authorized("scope2", "scope1:*");
  expect(setUp().authenticate(byHeader(key("unpriv"), { ext }))).toEqual(
    failed(
      "ext",
      "Supplied credentials do not satisfy authorizedScopes; credentials have scopes:\n\n" +
        "```\nanonscope\nassume:anonymous\nscope2\n```\n\n" +
        "authorizedScopes are:\n\n```\nscope1:*\nscope2\n```",
    ),
  );
});

test("the scopes of a client are not revealed without its key", () => {
  const ext = authorized("scope1:*");
  expect(setUp().authenticate(byHeader({ id: "unpriv", key: "a guess" }, { ext }))).toEqual(
    failed("mac", "Unauthorized: Bad mac"),
  );
});

test.each([
  ["scope1:*", "ext.authorizedScopes must be an array"],
  ["", "ext.authorizedScopes must be an array"],
  [["a\nb"], "ext.authorizedScopes must be an array of valid scopes"],
  [[1], "ext.authorizedScopes must be an array of valid scopes"],
])("authorizedScopes %j are refused", (authorizedScopes, message) => {
  const ext = Buffer.from(JSON.stringify({ authorizedScopes })).toString("base64");
  expect(setUp().authenticate(byHeader(key("root"), { ext }))).toEqual(failed("ext", message));
});

test("a change of clients or roles takes effect at the next request", () => {
  const { authenticate, set, directory } = setUp();
  const request = byHeader(key("unpriv"), { ext: authorized("scope2") });
  expect(plain(authenticate(request))).toMatchObject({ scopes: ["anonscope", "assume:anonymous", "scope2"] });
  directory.roles.set({ ...anonymousRole, scopes: ["other"] });
  expect(plain(authenticate(request))).toMatchObject({ scopes: ["assume:anonymous", "other", "scope2"] });
  expect(plain(authenticate(target))).toMatchObject({ scopes: ["assume:anonymous", "other"] });
  set("unpriv", { scopes: ["scope3"] });
  expect(authenticate(request)).toMatchObject({ status: "auth-failed" });
  set("unpriv", { scopes: ["scope2"], accessToken: "unpriv-new-secret" });
  expect(authenticate(request)).toEqual(failed("mac", "Unauthorized: Bad mac"));
});

test("cached credentials are distinguished by id and ext", () => {
  const { authenticate, set } = setUp();
  set("unpriv", { accessToken: "root-secret" });
  const ext = authorized("scope2");
  for (const options of [{}, { ext }, { ext: authorized() }]) {
    const root = authenticate(byHeader(key("root"), options));
    const unpriv = authenticate(byHeader({ id: "unpriv", key: "root-secret" }, options));
    expect([root, unpriv]).toMatchObject([{ clientId: "root" }, { clientId: "unpriv" }]);
  }
  expect(plain(authenticate(byHeader(key("root"), { ext })))).toMatchObject({
    scopes: ["anonscope", "assume:anonymous", "scope2"],
  });
});

test("more credentials than fit the cache are accepted", () => {
  const { authenticate, clock } = setUp({ cacheSize: 2 });
  const issuer = { clientId: "root", accessToken: "root-secret" };
  const requests = Array.from({ length: 5 }, (_, i) => {
    const times = { start: clock.now(), expiry: clock.now() + hour };
    const created = createTemporaryCredentials({ issuer, scopes: [`scope${i}`], ...times });
    const ext = encodeExt({ certificate: JSON.parse(created.certificate) as unknown });
    return byHeader({ id: created.clientId, key: created.accessToken }, { ext });
  });
  for (const pass of [1, 2]) {
    const scopes = requests.map((request) => authenticate(request)).map((result) => plain(result));
    expect([pass, scopes.map((result) => "scopes" in result && result.scopes.at(-1))]).toEqual([
      pass,
      ["scope0", "scope1", "scope2", "scope3", "scope4"],
    ]);
  }
});

test("temporary credentials created by the client are accepted, by header and by bewit", () => {
  const { authenticate, clock } = setUp();
  const expiry = clock.now() + hour;
  for (const name of [{}, { clientId: "some/name" }]) {
    const created = peerTemporaryCredentials({
      ...name,
      credentials: { clientId: "root", accessToken: "root-secret" },
      scopes: ["scope3", "assume:expansion"],
      start: new Date(clock.now()),
      expiry: new Date(expiry),
    });
    const ext = encodeExt({ certificate: JSON.parse(created.certificate) as unknown });
    const credentials = { id: created.clientId, key: created.accessToken };
    for (const request of [byHeader(credentials, { ext }), byBewit(credentials, { ext })]) {
      expect(plain(authenticate(request))).toEqual({
        status: "auth-success",
        scheme: "hawk",
        clientId: created.clientId,
        scopes: ["anonscope", "assume:anonymous", "assume:expansion", "expanded", "scope3"],
        expires: expiry,
      });
    }
  }
});
