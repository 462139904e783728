// The errors of transfers between the client and an artifact store.
import { ClientError, noAnswer } from "../client-error.ts";

/** Returns the error for a status that is no success. */
export const storeRefusal = (method: string, status: number, text: string): ClientError =>
  // oxlint-disable-next-line messages/next-step -- the text is that of the store
  new ClientError(
    `the artifact store returned ${status} to ${method}${text.trim() === "" ? "" : `: ${text.trim().slice(0, 1000)}`}`,
    { method, statusCode: status, code: `Status${status}` },
  );

/** Returns the error of the call, or the error for a store that did not reply. */
export const storeFailure = (method: string, url: string, error: unknown): ClientError =>
  error instanceof ClientError ? error : noAnswer(method, url, error);

/** Reports whether another try may succeed, for errors of servers and of stores. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof ClientError)) return false;
  if (error.code === "NoAnswer" || error.code === "Timeout") return true;
  return error.statusCode !== undefined && (error.statusCode >= 500 || [408, 429].includes(error.statusCode));
}
