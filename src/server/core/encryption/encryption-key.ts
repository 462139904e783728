// A key of the ring: 256 random bits, written in base64, with an id that is derived from them.
import { createHash, createSecretKey, randomBytes, type KeyObject } from "node:crypto";

export interface EncryptionKey {
  /** 12 hexadecimal digits. Two keys never share an id, and a wrong key never has the id of the right one. */
  readonly id: string;
  /** A KeyObject, because it shows nothing when it is logged. */
  readonly secret: KeyObject;
}

/** 32 bytes in base64, as `openssl rand -base64 32` writes them, or in its URL-safe form. */
export const writtenKey = {
  pattern: "^[A-Za-z0-9+/_-]{43}=?$",
  expected: "32 random bytes in base64, as written by `openssl rand -base64 32`",
};

/** Returns the key with this text. Throws a TypeError that does not quote the text. */
export function parseKey(text: string): EncryptionKey {
  if (!new RegExp(writtenKey.pattern).test(text)) throw new TypeError(`a key must be ${writtenKey.expected}`);
  // Accepts both alphabets.
  const bytes = Buffer.from(text, "base64");
  // Reveals nothing about the key: it has 256 bits of entropy.
  const id = createHash("sha256")
    .update("taskyard encryption key\n")
    .update(bytes)
    .digest("hex")
    .slice(0, 12);
  return { id, secret: createSecretKey(bytes) };
}

/** Returns the text of a new key. */
export const newKey = (): string => randomBytes(32).toString("base64");
