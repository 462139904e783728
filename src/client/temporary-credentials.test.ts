import { expect, test } from "vitest";
import { isSlugid } from "../lib/slugid.ts";
import { createTemporaryCredentials } from "./temporary-credentials.ts";

const credentials = { clientId: "issuer", accessToken: "a-token-that-is-secret" };
const scopes = ["queue:get-artifact:private/*", "assume:repo:x"];

/** HMAC-SHA-256 with the issuer's token. */
async function hmac(text: string, encoding: "base64" | "base64url"): Promise<string> {
  const key = new TextEncoder().encode(credentials.accessToken);
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  return Buffer.from(await crypto.subtle.sign("HMAC", imported, Buffer.from(text))).toString(encoding);
}

test("the issuer's token signs the certificate, and the new token derives from it", async () => {
  const expiry = Date.now() + 3_600_000;
  const made = await createTemporaryCredentials({
    credentials,
    scopes,
    expiry,
    start: 17 + expiry - 7_200_000,
  });
  const { signature, ...certificate } = JSON.parse(made.certificate) as { signature: string; seed: string };
  const { seed } = certificate;
  expect(certificate).toEqual({ version: 1, scopes, start: expiry - 7_199_983, expiry, seed });
  expect([seed.slice(0, 22), seed.slice(22)].map(isSlugid)).toEqual([true, true]);
  const text = `version:1\nseed:${seed}\nstart:${expiry - 7_199_983}\nexpiry:${expiry}\nscopes:\n${scopes.join("\n")}`;
  expect(signature).toBe(await hmac(text, "base64"));
  expect(made).toMatchObject({ clientId: "issuer", accessToken: await hmac(seed, "base64url") });
});

test("named credentials contain their issuer, and the name is signed", async () => {
  const expiry = Date.now() + 1000;
  const made = await createTemporaryCredentials({ credentials, scopes, expiry, clientId: "issuer/job" });
  const certificate = JSON.parse(made.certificate) as Record<"issuer" | "seed" | "signature", string> & {
    start: number;
  };
  expect(made.clientId).toBe("issuer/job");
  expect(certificate.issuer).toBe("issuer");
  // Starts five minutes early, for servers whose clock is behind.
  expect(Math.abs(certificate.start - (Date.now() - 300_000))).toBeLessThan(5000);
  const text = `version:1\nclientId:issuer/job\nissuer:issuer\nseed:${certificate.seed}\nstart:${certificate.start}\nexpiry:${expiry}\nscopes:\n${scopes.join("\n")}`;
  expect(certificate.signature).toBe(await hmac(text, "base64"));
});

test("temporary credentials last at most 31 days", async () => {
  const expiry = Date.now() + 31 * 86_400_000;
  await expect(createTemporaryCredentials({ credentials, scopes, expiry })).rejects.toThrow(
    "temporary credentials must last at most 31 days: choose an earlier expiry",
  );
});

test("what servers would refuse is refused before", async () => {
  const expiry = Date.now() + 60_000;
  const made = await createTemporaryCredentials({ credentials, scopes, expiry });
  await expect(createTemporaryCredentials({ credentials: made, scopes, expiry })).rejects.toThrow(
    "temporary credentials cannot issue others",
  );
  await expect(createTemporaryCredentials({ credentials, scopes, expiry: NaN })).rejects.toThrow(
    /^the expiry NaN must be a time after the start \d+/,
  );
  await expect(createTemporaryCredentials({ credentials, scopes: ["a", "b\n*"], expiry })).rejects.toThrow(
    'the scope "b\\n*" must consist of printable ASCII characters',
  );
});
