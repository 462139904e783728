// SHA-256 and SHA-512 of bytes that arrive one after the other, in Node and in browsers.
//
// WebCrypto hashes only complete buffers. Browsers therefore load an implementation in JavaScript, and only when they transfer
// an artifact.
const node = globalThis.process?.getBuiltinModule?.("node:crypto");

export const digestAlgorithms = ["sha256", "sha512"] as const;
export type DigestAlgorithm = (typeof digestAlgorithms)[number];

/** A hash in progress. */
export interface Digest {
  update(bytes: Uint8Array): void;
  /** Returns a digest that continues from here, independent of this one. */
  copy(): Digest;
  /** Returns the hash in hexadecimal. The digest cannot be used afterwards. */
  hex(): string;
}

/** Returns a digest of no bytes. */
export const createDigest = (algorithm: DigestAlgorithm): Promise<Digest> =>
  node ? Promise.resolve(nodeDigest(node.createHash(algorithm))) : webDigest(algorithm);

type NodeHash = ReturnType<NonNullable<typeof node>["createHash"]>;

const nodeDigest = (hash: NodeHash): Digest => ({
  update: (bytes) => void hash.update(bytes),
  copy: () => nodeDigest(hash.copy()),
  hex: () => hash.digest("hex"),
});

/** The digest of browsers. Exported for the test that compares the two. */
export async function webDigest(algorithm: DigestAlgorithm): Promise<Digest> {
  const { sha256, sha512 } = await import("@noble/hashes/sha2.js");
  return wrapped(algorithm === "sha256" ? sha256.create() : sha512.create());
}

interface WebHash {
  update(bytes: Uint8Array): unknown;
  clone(): WebHash;
  digest(): Uint8Array;
}

const wrapped = (hash: WebHash): Digest => ({
  update: (bytes) => void hash.update(bytes),
  copy: () => wrapped(hash.clone()),
  hex: () => Array.from(hash.digest(), (byte) => byte.toString(16).padStart(2, "0")).join(""),
});
