// What went wrong between this machine and an artifact store.
import { ClientError } from "../client/client-error.ts";
import { causeOf } from "./cli-error.ts";

/** Returns the reply of the artifact store or why there was none, or undefined for errors of other origin. */
export function storeFault(
  error: unknown,
): { readonly reason: string; readonly isReply: boolean } | undefined {
  if (!(error instanceof ClientError) || !error.method.startsWith("artifacts.")) return undefined;
  if (error.code === "NoAnswer") return { reason: causeOf(error.cause), isReply: false };
  if (error.statusCode === undefined) return undefined;
  return { reason: error.message.replace(` to ${error.method}`, ""), isReply: true };
}
