// The hash of a request's body, which a signature may include.
import { createHash } from "node:crypto";
import { payloadHead } from "../../../../lib/hawk.ts";
import { equalInConstantTime } from "../../../core/constant-time.ts";

/** Returns the Hawk hash, in base64, of an unparsed body and its Content-Type header. */
export const payloadHash = (contentType: string | undefined, rawBody: string | Uint8Array): string =>
  createHash("sha256").update(payloadHead(contentType)).update(rawBody).update("\n").digest("base64");

/** Returns an error message if the body is not the one that was signed, else `undefined`. */
export function payloadHashProblem(
  claimed: string,
  contentType: string | undefined,
  rawBody: string | Uint8Array,
): string | undefined {
  const computed = payloadHash(contentType, rawBody);
  if (equalInConstantTime(claimed, computed)) return undefined;
  return (
    `Invalid payload hash: ${claimed}\nComputed payload hash: ${computed}\n` +
    "The request was signed for another body or content type than the one that arrived: send it unchanged."
  );
}
