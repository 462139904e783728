import { expect, test } from "vitest";
import { encodeExt, HawkError, type Certificate } from "../../../../lib/hawk.ts";
import { testDirectory } from "../../../../../test/support/client-directory.ts";
import type { Client } from "../directory/client-directory.ts";
import { requireValid, resolveCredentials, type Credentials } from "./credentials.ts";
import { certificateSignature, temporaryKey } from "./temporary-credentials.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
const now = Date.UTC(2026, 0, 15);

const client = (clientId: string, change: Partial<Client> = {}): Client => ({
  clientId,
  accessToken: `${clientId}-secret`,
  scopes: [],
  expires: now + 60 * day,
  disabled: false,
  ...change,
});

const clients = [
  client("root", { scopes: ["*"] }),
  client("unpriv", { scopes: ["scope2", "assume:maker"] }),
  client("old", { expires: now - 1 }),
  client("off", { disabled: true }),
  client("expiring", { scopes: ["*"], expires: now + minute }),
];

const directory = testDirectory(clients, [
  { roleId: "anonymous", scopes: ["anonscope"] },
  { roleId: "maker", scopes: ["auth:create-client:made/*"] },
]);

/** The members of a certificate in these tests, which may be valid, invalid or missing. */
type Parts = { [K in keyof Certificate]?: unknown } & { clientId?: unknown };

/** Returns a certificate signed by `signer` for `name`. Members that are `undefined` are omitted. */
function certificate(change: Parts = {}, by: { signer?: string; name?: string } = {}): Parts {
  const { signer = "root", name = signer } = by;
  const times = { start: now - minute, expiry: now + minute };
  const unsigned = { version: 1, seed: "s".repeat(44), ...times, scopes: ["scope2"], ...change };
  if (!Array.isArray(unsigned.scopes)) return { ...unsigned, signature: "none" };
  // Members of a wrong type are refused before the signature is checked, so it does not matter for them.
  const signable = JSON.parse(JSON.stringify(unsigned)) as Certificate;
  return { signature: certificateSignature(`${signer}-secret`, signable, name), ...unsigned };
}

const resolve = (id: string, given: unknown): Credentials =>
  resolveCredentials(id, encodeExt({ certificate: given }), directory, directory.view, now);

const named = (change: Parts = {}, { issuer = "root", name = "made/name" } = {}) =>
  certificate({ issuer, ...change }, { signer: issuer, name });

test("unnamed credentials act as their client, with the scopes and key of the certificate", () => {
  const credentials = resolve("root", certificate());
  expect(credentials.signer.clientId).toBe("root");
  expect(credentials.key).toBe(temporaryKey("root-secret", "s".repeat(44)));
  expect(credentials.scopes.list).toEqual(["anonscope", "assume:anonymous", "scope2"]);
});

test("named credentials act under their name", () => {
  const credentials = resolve("made/name", named());
  expect(credentials.signer.clientId).toBe("root");
  expect(credentials.key).toBe(temporaryKey("root-secret", "s".repeat(44)));
});

test("scopes that a role grants to the issuer apply to names and scopes", () => {
  const parts = { scopes: ["auth:create-client:made/*", "anonscope"] };
  expect(resolve("made/name", named(parts, { issuer: "unpriv" })).signer.clientId).toBe("unpriv");
});

const noIssuerSatisfies = (scopes: string): string =>
  ` issuer \`unpriv\` doesn't satisfy all certificate scopes ${scopes}.  ` +
  "The temporary credentials were not generated correctly.";

test.each<[string, string, unknown, string]>([
  ["a boolean", "root", true, " must be a JSON object"],
  ["text", "root", "text", " must be a JSON object"],
  ["a list", "root", [], " must be a JSON object"],
  ["an issuer that is not a string", "made/name", named({ issuer: 1 }), ".issuer must be a string"],
  ["null as issuer", "made/name", named({ issuer: null }), ".issuer must be a string"],
  ["the caller as issuer", "root", named(), ".issuer must differ from the supplied clientId"],
  ["another version", "root", certificate({ version: 2 }), ".version must be 1"],
  ["no version", "root", certificate({ version: undefined }), ".version must be 1"],
  ["a seed that is not a string", "root", certificate({ seed: 123 }), ".seed must be a string"],
  ["a short seed", "root", certificate({ seed: "s".repeat(22) }), ".seed must be 44 characters"],
  ["a date as start", "root", certificate({ start: "2026-01-15" }), ".start must be a number"],
  ["a date as expiry", "root", certificate({ expiry: "2026-01-15" }), ".expiry must be a number"],
  ["scopes that are not a list", "root", certificate({ scopes: "scope" }), ".scopes must be an array"],
  [
    "scopes that are not strings",
    "root",
    certificate({ scopes: [1] }),
    ".scopes must be an array of valid scopes",
  ],
  [
    "a scope of two lines",
    "root",
    certificate({ scopes: ["a\nb"] }),
    ".scopes must be an array of valid scopes",
  ],
  ["a start in the future", "root", certificate({ start: now + 5 * minute + 1 }), ".start > now"],
  ["an expiry in the past", "root", certificate({ expiry: now - 5 * minute - 1 }), ".expiry < now"],
  [
    "more than 31 days",
    "root",
    certificate({ start: now, expiry: now + 31 * day + 1 }),
    " cannot last longer than 31 days!",
  ],
  [
    "an expiry that is never reached",
    "root",
    certificate({ expiry: Number.MAX_VALUE }),
    " cannot last longer than 31 days!",
  ],
  [
    "a name without an issuer",
    "root",
    certificate({ clientId: "root" }),
    ".clientId must only be used with ext.certificate.issuer",
  ],
  [
    "a name that the issuer may not use",
    "other/name",
    named({ scopes: [] }, { issuer: "unpriv", name: "other/name" }),
    " issuer `unpriv` doesn't have `auth:create-client:other/name` for supplied clientId.",
  ],
  [
    "scopes that the issuer lacks",
    "unpriv",
    certificate({ scopes: ["scope2", "godlike"] }, { signer: "unpriv" }),
    noIssuerSatisfies("scope2, godlike"),
  ],
  ["no signature", "root", certificate({ signature: undefined }), ".signature is not valid"],
  ["a signature that is not a string", "root", certificate({ signature: 1 }), ".signature is not valid"],
  ["another client's signature", "root", certificate({}, { signer: "unpriv" }), ".signature is not valid"],
  ["a changed scope", "root", { ...certificate(), scopes: ["scope3"] }, ".signature is not valid"],
  ["a changed expiry", "root", { ...certificate(), expiry: now + 2 * minute }, ".signature is not valid"],
  [
    "another name than the signed one",
    "made/other",
    named(),
    ".signature is not valid, or wrong clientId provided",
  ],
  [
    "an issuer added after signing",
    "made/name",
    { ...certificate(), issuer: "root" },
    ".signature is not valid, or wrong clientId provided",
  ],
])("a certificate with %s is refused", (_, id, given, message) => {
  expect(() => resolve(id, given)).toThrow(new HawkError("ext", `ext.certificate${message}`));
});

test("without a valid signature, the message does not depend on the scopes of the client", () => {
  const messageOf = (id: string, given: unknown): string => {
    try {
      resolve(id, given);
      return "accepted";
    } catch (error) {
      return String(error);
    }
  };
  const forged = ["scope2", "godlike"].map((scope) =>
    messageOf("unpriv", { ...certificate({ scopes: [scope] }), signature: "AAAA" }),
  );
  expect(forged).toEqual(forged.map(() => "HawkError: ext.certificate.signature is not valid"));
  const names = ["root", "unpriv"].map((issuer) =>
    messageOf("other/name", { ...named({}, { issuer, name: "other/name" }), signature: "AAAA" }),
  );
  expect(names).toEqual(
    names.map(() => "HawkError: ext.certificate.signature is not valid, or wrong clientId provided"),
  );
});

test("without the issuer, the name is that of a client that must exist", () => {
  const { issuer: _, ...unnamed } = named();
  expect(() => resolve("made/name", unnamed)).toThrow(
    new HawkError("client", "Client with clientId 'made/name' not found"),
  );
});

test.each([
  ["nobody", "Client with clientId 'nobody' not found"],
  ["off", "Client with clientId 'off' is disabled"],
  ["old", "Client with clientId: 'old' has expired"],
  // Temporary credentials cannot issue others, since they cannot be looked up by name.
  ["made/name", "Client with clientId 'made/name' not found"],
])("the issuer %s is looked up before the rest of the certificate is checked", (issuer, message) => {
  expect(() => resolve("some/name", { issuer })).toThrow(new HawkError("client", message));
});

test("the first fault is reported", () => {
  expect(() => resolve("made/name", { issuer: 1, version: 2 })).toThrow(
    "ext.certificate.issuer must be a string",
  );
  expect(() => resolve("root", { seed: 1 })).toThrow("ext.certificate.version must be 1");
  expect(() => resolve("root", certificate({ start: now + day, expiry: now - day }))).toThrow("start > now");
  const late = certificate({ clientId: "x", expiry: now - day });
  expect(() => resolve("root", late)).toThrow("ext.certificate.expiry < now");
});

test("times have five minutes of leeway at both ends", () => {
  const credentials = resolve("root", certificate({ start: now + 5 * minute, expiry: now + 20 * minute }));
  expect(requireValid(credentials, now)).toBe(now + 20 * minute);
  expect(requireValid(credentials, now + 25 * minute)).toBe(now + 20 * minute);
  expect(() => requireValid(credentials, now + 25 * minute + 1)).toThrow("ext.certificate.expiry < now");
  expect(() => requireValid(credentials, now - 1)).toThrow("ext.certificate.start > now");
});

test("credentials expire with their certificate or its client, whichever is first", () => {
  const brief = certificate({ expiry: now + 2 * minute }, { signer: "expiring" });
  const credentials = resolve("expiring", brief);
  expect(requireValid(credentials, now)).toBe(now + minute);
  expect(() => requireValid(credentials, now + minute + 1)).toThrow(
    new HawkError("client", "Client with clientId: 'expiring' has expired"),
  );
});
