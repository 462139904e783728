// Hashes of objects: checks their form and that they match.
import { createHash } from "node:crypto";
import type { Hashes } from "../../../api/object/schemas.ts";
import { ApiError } from "../../../lib/errors.ts";

export type KnownHashes = Readonly<Record<string, string>>;

const MAX_HASHES = 16;

/** Returns the hashes of a request. The contract has two algorithms and allows others, which are checked here. */
export function checkHashes(given: Hashes | undefined): KnownHashes {
  const entries = Object.entries(given ?? {});
  if (entries.length > MAX_HASHES)
    throw new ApiError("InputError", `hashes has ${entries.length} members; the limit is ${MAX_HASHES}.`);
  const checked: [algorithm: string, value: string][] = [];
  for (const [algorithm, value] of entries) {
    if (!/^[A-Za-z0-9_-]{1,40}$/.test(algorithm))
      throw new ApiError(
        "InputError",
        `hashes has the member ${JSON.stringify(algorithm)}, which is not a valid name of an algorithm: it must have 1 to 40 of the characters A-Z a-z 0-9 _ -.`,
      );
    if (typeof value !== "string" || !/^[\x20-\x7e]{1,256}$/.test(value))
      throw new ApiError(
        "InputError",
        `hashes.${algorithm} must be a string of 1 to 256 printable characters.`,
      );
    checked.push([algorithm, value]);
  }
  // Not by assignment: an algorithm may have any name, including `__proto__`.
  return Object.fromEntries(checked);
}

/** The source of hashes that were stored when the upload was created or changed. Those of inline content were computed. */
export const EARLIER = "an earlier call, or the content that it sent,";

/** Throws `RequestConflict` if a given hash differs from the known one, which `source` has: "but … has". */
export function requireAgreement(name: string, given: KnownHashes, known: KnownHashes, source: string): void {
  for (const [algorithm, value] of Object.entries(given)) {
    const other = Object.hasOwn(known, algorithm) ? known[algorithm] : undefined;
    if (other !== undefined && other !== value)
      throw new ApiError(
        "RequestConflict",
        `The ${algorithm} of object "${name}" is ${value} in this request, but ${source} has ${other}. Send the hashes of the content that is uploaded.`,
      );
  }
}

export const hashesOf = (bytes: Uint8Array): { sha256: string; sha512: string } => ({
  sha256: createHash("sha256").update(bytes).digest("hex"),
  sha512: createHash("sha512").update(bytes).digest("hex"),
});
