// RSA keys, and JSON Web Tokens signed with them (RS256).
import { createHash, createPrivateKey, generateKeyPair, sign, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

export const ALGORITHM = "RS256";
const MODULUS_BITS = 2048;

/** A key as it is stored, before its private part is encrypted. */
export interface NewSigningKey {
  /** The thumbprint of the public key (RFC 7638). */
  readonly kid: string;
  /** A JSON Web Key, as text. */
  readonly publicKey: string;
  /** PKCS #8 in PEM. */
  readonly privateKey: string;
}

/** Generates a key, in another thread: it takes a tenth of a second. */
export async function newSigningKey(): Promise<NewSigningKey> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: MODULUS_BITS });
  const { e, kty, n } = publicKey.export({ format: "jwk" });
  // The members that a thumbprint covers, in its order.
  const text = JSON.stringify({ e, kty, n });
  return {
    kid: createHash("sha256").update(text).digest("base64url"),
    publicKey: text,
    privateKey: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
  };
}

/** A key that signs. */
export interface SigningKey {
  readonly kid: string;
  readonly key: KeyObject;
}

export const signingKeyOf = (kid: string, pem: string): SigningKey => ({ kid, key: createPrivateKey(pem) });

/** Returns a signed token. Takes 0.7 ms of CPU. */
export function signedToken({ kid, key }: SigningKey, claims: object): string {
  const signed = `${encoded({ alg: ALGORITHM, kid, typ: "JWT" })}.${encoded(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
