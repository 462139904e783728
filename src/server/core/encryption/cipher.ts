// AES-256-GCM over text. The result names its key: `v1:<key id>:<nonce, ciphertext and tag in base64url>`.
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import type { EncryptionKey } from "./encryption-key.ts";

const algorithm = "aes-256-gcm";
// The size for which GCM is specified. Random nonces are safe for 2^32 values of one key.
const nonceBytes = 12;
const tagBytes = 16;
// Applied to the start only: the rest may have megabytes, and is authenticated anyway.
const prefix = /^v1:([0-9a-f]{12}):$/;
const PREFIX_LENGTH = 16;

/** The text was not encrypted with this key in this context, or it was changed. */
class DecryptionError extends Error {
  constructor(context: string, why: string) {
    super(
      `the stored value of ${context} cannot be decrypted: ${why}. Restore it from a backup, or set it again.`,
    );
    this.name = "DecryptionError";
  }
}

/** Encrypts a text. It can be decrypted only with the same context, so a value that is copied to another row is refused. */
export function encryptWith(key: EncryptionKey, plain: string, context: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key.secret, nonce).setAAD(Buffer.from(context));
  const parts = [nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()];
  return `v1:${key.id}:${Buffer.concat(parts).toString("base64url")}`;
}

/** Decrypts what `encryptWith` returned with this key. Throws a DecryptionError. */
export function decryptWith(key: EncryptionKey, text: string, context: string): string {
  const bytes = Buffer.from(text.slice(PREFIX_LENGTH), "base64url");
  if (bytes.length < nonceBytes + tagBytes)
    throw new DecryptionError(context, "it is not an encrypted value");
  const decipher = createDecipheriv(algorithm, key.secret, bytes.subarray(0, nonceBytes))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-tagBytes));
  try {
    const start = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
    return Buffer.concat([start, decipher.final()]).toString("utf8");
  } catch {
    throw new DecryptionError(context, "it was changed, or belongs to another row");
  }
}

/** Returns the id of the key that encrypted the text. Throws a DecryptionError. */
export function keyIdOf(text: string, context: string): string {
  const id = prefix.exec(text.slice(0, PREFIX_LENGTH))?.[1];
  if (id === undefined) throw new DecryptionError(context, "it is not an encrypted value");
  return id;
}
