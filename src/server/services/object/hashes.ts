// Hashes of objects: what may be given, and what is told where they do not agree.
import { createHash } from "node:crypto";
import type { Hashes } from "../../../api/object/schemas.ts";
import { ApiError } from "../../../lib/errors.ts";

export type KnownHashes = Readonly<Record<string, string>>;

const MAX_HASHES = 16;

/** The hashes of a request. The contract names two algorithms and leaves others open, so those are checked here. */
export function checkedHashes(given: Hashes | undefined): KnownHashes {
  const entries = Object.entries(given ?? {});
  if (entries.length > MAX_HASHES)
    throw new ApiError("InputError", `hashes has ${entries.length} members; it may have ${MAX_HASHES}.`);
  const checked: [algorithm: string, value: string][] = [];
  for (const [algorithm, value] of entries) {
    if (!/^[A-Za-z0-9_-]{1,40}$/.test(algorithm))
      throw new ApiError(
        "InputError",
        `hashes has the member ${JSON.stringify(algorithm)}, which names no algorithm.`,
      );
    if (typeof value !== "string" || !/^[\x20-\x7e]{1,256}$/.test(value))
      throw new ApiError(
        "InputError",
        `hashes.${algorithm} must be a text of 1 to 256 printable characters.`,
      );
    checked.push([algorithm, value]);
  }
  // Not by assignment, for an algorithm may have any name, `__proto__` too.
  return Object.fromEntries(checked);
}

/** Throws `RequestConflict` where `given` has another value than is known. `source` completes "but … says". */
export function requireAgreement(name: string, given: KnownHashes, known: KnownHashes, source: string): void {
  for (const [algorithm, value] of Object.entries(given)) {
    const other = Object.hasOwn(known, algorithm) ? known[algorithm] : undefined;
    if (other !== undefined && other !== value)
      throw new ApiError(
        "RequestConflict",
        `The ${algorithm} of object "${name}" is given as ${value}, but ${source} says ${other}.`,
      );
  }
}

export const hashesOf = (bytes: Uint8Array): { sha256: string; sha512: string } => ({
  sha256: createHash("sha256").update(bytes).digest("hex"),
  sha512: createHash("sha512").update(bytes).digest("hex"),
});
