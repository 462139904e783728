import { expect, test } from "vitest";
import { peerTemporaryCredentials } from "../../../../../test/support/hawk-peer.ts";
import type { Certificate } from "../../../../lib/hawk.ts";
import { isSlugid } from "../../../../lib/slugid.ts";
import { certificateSignature, createTemporaryCredentials, temporaryKey } from "./temporary-credentials.ts";

const issuer = { clientId: "static/issuer", accessToken: "the-token-of-the-issuer" };
const start = Date.UTC(2026, 0, 1);
const expiry = start + 1_200_000;
const scopes = ["queue:resolve-task:x/0", "a:*"];

// The text comes from the functions under test; each test checks its members.
const certificateOf = (credentials: { certificate: string }) =>
  JSON.parse(credentials.certificate) as Certificate;

test("named credentials contain their issuer, unnamed ones act as their issuer", () => {
  const named = createTemporaryCredentials({ issuer, clientId: "task-client/x", scopes, start, expiry });
  expect(named.clientId).toBe("task-client/x");
  expect(certificateOf(named)).toMatchObject({ version: 1, issuer: "static/issuer", scopes, start, expiry });
  const unnamed = createTemporaryCredentials({ issuer, scopes, start, expiry });
  expect(unnamed.clientId).toBe("static/issuer");
  expect(certificateOf(unnamed)).not.toHaveProperty("issuer");
});

test("each certificate has a new seed, and a key derived from it", () => {
  const all = Array.from({ length: 50 }, () => createTemporaryCredentials({ issuer, scopes, start, expiry }));
  const seeds = all.map((one) => certificateOf(one).seed);
  expect(new Set(seeds).size).toBe(50);
  for (const seed of seeds) expect([seed.slice(0, 22), seed.slice(22)].every(isSlugid)).toBe(true);
  expect(all.map((one) => one.accessToken)).toEqual(
    seeds.map((seed) => temporaryKey(issuer.accessToken, seed)),
  );
});

test.each(["task-client/x", undefined])("key and signature for %s equal those of the client", (clientId) => {
  const name = clientId === undefined ? {} : { clientId };
  const theirs = peerTemporaryCredentials({
    ...name,
    credentials: issuer,
    scopes,
    start: new Date(start),
    expiry: new Date(expiry),
  });
  const { signature, ...unsigned } = certificateOf(theirs);
  expect(certificateSignature(issuer.accessToken, unsigned, theirs.clientId)).toBe(signature);
  expect(temporaryKey(issuer.accessToken, unsigned.seed)).toBe(theirs.accessToken);
  const ours = createTemporaryCredentials({ ...name, issuer, scopes, start, expiry });
  expect(Object.keys(ours).sort()).toEqual(Object.keys(theirs).sort());
  expect(Object.keys(certificateOf(ours)).sort()).toEqual(Object.keys(certificateOf(theirs)).sort());
});

test("credentials that would be refused are not created", () => {
  const days = 24 * 60 * 60 * 1000;
  expect(() =>
    createTemporaryCredentials({ issuer, scopes, start, expiry: start + 31 * days }),
  ).not.toThrow();
  expect(() => createTemporaryCredentials({ issuer, scopes, start, expiry: start + 32 * days })).toThrow(
    "temporary credentials are valid for at most 31 days, not 32",
  );
  expect(() =>
    createTemporaryCredentials({ issuer, clientId: issuer.clientId, scopes, start, expiry }),
  ).toThrow("temporary credentials need a name that differs from their issuer's, 'static/issuer'");
});
