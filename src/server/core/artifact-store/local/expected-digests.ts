// The digests that an upload must have, from the headers that HTTP and S3 clients use for them.
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../../../../lib/errors.ts";

/** A digest that an upload must have. */
export interface ExpectedDigest {
  readonly algorithm: "sha256" | "md5";
  /** In hex. */
  readonly value: string;
  /** The header that has the digest, for error messages. */
  readonly header: string;
}

/** Reads `Content-MD5`, `x-amz-content-sha256`, `Content-Digest` (RFC 9530) and the older `Digest`. */
export function expectedDigests(headers: IncomingHttpHeaders): ExpectedDigest[] {
  const digests: ExpectedDigest[] = [];
  const add = (algorithm: ExpectedDigest["algorithm"], header: string, value: Buffer): void => {
    if (value.length !== (algorithm === "md5" ? 16 : 32))
      throw new ApiError(
        "InvalidRequestArguments",
        `The header ${header} must contain ${algorithm === "md5" ? "an MD5" : "a SHA-256"} digest, and does not.`,
      );
    digests.push({ algorithm, header, value: value.toString("hex") });
  };

  const md5 = one(headers["content-md5"]);
  if (md5 !== undefined) add("md5", "Content-MD5", Buffer.from(md5, "base64"));
  const amz = one(headers["x-amz-content-sha256"]);
  // Other values state that the body is not signed, or how it is chunked.
  if (amz !== undefined && /^[0-9a-f]*$/i.test(amz))
    add("sha256", "x-amz-content-sha256", Buffer.from(amz, "hex"));
  for (const [header, pattern] of [
    ["Content-Digest", /(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):/i],
    ["Digest", /(?:^|,)\s*sha-256=([A-Za-z0-9+/=]*)/i],
  ] as const) {
    const value = pattern.exec(one(headers[header.toLowerCase()]) ?? "")?.[1];
    if (value !== undefined) add("sha256", header, Buffer.from(value, "base64"));
  }
  return digests;
}

const one = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(", ") : header;
