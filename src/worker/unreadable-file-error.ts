// The error of a file that was found when the commands had ended, and is no longer the same when it is saved.
import type { ErrorReason } from "./queue-client.ts";

/** A file of the task cannot be read any more. The message is a sentence for the author of the task. */
export class UnreadableFileError extends Error {
  override readonly name = "UnreadableFileError";
  readonly reason: ErrorReason;
  constructor(reason: ErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
