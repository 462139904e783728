import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anyText } from "../../../../test/support/arbitrary-text.ts";
import { decryptWith, encryptWith, keyIdOf } from "./cipher.ts";
import { newKey, parseKey } from "./encryption-key.ts";

const key = parseKey(newKey());
const context = 'secrets.secret of "a"';

describe("an encrypted text", () => {
  it("can be decrypted with its key in its context", () => {
    fc.assert(
      fc.property(anyText({ maxLength: 50 }), fc.string(), (plain, place) => {
        const stored = encryptWith(key, plain, place);
        expect(stored).toMatch(/^v1:[0-9a-f]{12}:[\w-]+$/);
        expect(keyIdOf(stored, place)).toBe(key.id);
        expect(decryptWith(key, stored, place)).toBe(plain);
      }),
    );
  });

  it("differs each time", () => {
    const stored = Array.from({ length: 100 }, () => encryptWith(key, "same", context));
    expect(new Set(stored).size).toBe(100);
  });

  it("is refused in another context, with another key, and after any change of a character", () => {
    const stored = encryptWith(key, "text", context);
    const wrong =
      /^the stored value of .* cannot be decrypted: it was changed, or belongs to another row\. Restore/;
    expect(() => decryptWith(key, stored, 'secrets.secret of "b"')).toThrow(wrong);
    expect(() => decryptWith(parseKey(newKey()), stored, context)).toThrow(wrong);
    const start = `v1:${key.id}:`.length;
    for (let i = start; i < stored.length; i++) {
      // Not the next character: the last one of base64 has bits that are ignored.
      const other = stored[i] === "A" ? "w" : "A";
      expect(() => decryptWith(key, stored.slice(0, i) + other + stored.slice(i + 1), context)).toThrow(
        wrong,
      );
    }
  });

  it.each(["", "text", "v1:0123456789ab:", "v1:0123456789ab:AAAA", "v2:0123456789ab:AAAA"])(
    "is not %j, which is refused without being quoted",
    (stored) => {
      const read = (): string => {
        keyIdOf(stored, context);
        return decryptWith(key, stored, context);
      };
      expect(read).toThrow(
        `the stored value of ${context} cannot be decrypted: it is not an encrypted value. Restore it`,
      );
    },
  );
});

describe("a key", () => {
  it("has the same id in both alphabets of base64, and shows nothing when it is printed", () => {
    const text = newKey();
    const other = text.replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
    expect(parseKey(other).id).toBe(parseKey(text).id);
    const stored = encryptWith(parseKey(text), "text", context);
    expect(decryptWith(parseKey(other), stored, context)).toBe("text");
    expect(JSON.stringify(parseKey(text))).not.toContain(text.slice(0, 10));
  });

  it.each(["short", "x".repeat(45), `${"x".repeat(42)}!`])(
    "is not %j, which is refused without being quoted",
    (text) => {
      expect(() => parseKey(text)).toThrow(
        /^a key must be 32 random bytes in base64, as written by `openssl rand/,
      );
      expect(() => parseKey(text)).not.toThrow(text);
    },
  );
});
