import fc from "fast-check";
import { expect, it } from "vitest";
import { anyText } from "../../test/support/arbitrary-text.ts";
import { hmac, webHmac } from "./hmac.ts";

it("is the HMAC-SHA-256 of RFC 4231", async () => {
  const expected = Buffer.from(
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "hex",
  ).toString("base64");
  expect(await hmac("Jefe")("what do ya want for nothing?")).toBe(expected);
});

it("is the same in browsers", async () => {
  const text = anyText();
  await fc.assert(
    fc.asyncProperty(text.filter(Boolean), text, async (secret, value) => {
      expect(await webHmac(secret)(value)).toBe(await hmac(secret)(value));
    }),
  );
});
