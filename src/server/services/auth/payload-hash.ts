// The hash of a request's body, which a signature may cover.
import { createHash } from "node:crypto";
import { payloadHead } from "../../../lib/hawk.ts";
import { equalInConstantTime } from "./constant-time.ts";

/** The Hawk hash, in base64, of a body as it came and its Content-Type header. */
export const payloadHash = (contentType: string | undefined, rawBody: string | Uint8Array): string =>
  createHash("sha256").update(payloadHead(contentType)).update(rawBody).update("\n").digest("base64");

/** Why the body is not the one that was signed, or `undefined` where it is. */
export function payloadHashProblem(
  claimed: string,
  contentType: string | undefined,
  rawBody: string | Uint8Array,
): string | undefined {
  const computed = payloadHash(contentType, rawBody);
  if (equalInConstantTime(claimed, computed)) return undefined;
  return (
    `Invalid payload hash: ${claimed}\nComputed payload hash: ${computed}\n` +
    "The request was signed for another body or content type than the one that arrived."
  );
}
