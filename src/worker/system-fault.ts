// Errors of the system, in words for operators and authors of tasks.
import { codeOf } from "../lib/error-code.ts";

const texts: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EIO: "the disk reports errors",
  EACCES: "the worker's user has no permission",
  EPERM: "the system does not permit it",
  ENOENT: "it does not exist",
  ENOTDIR: "a part of the path is not a folder",
  ENAMETOOLONG: "the path is too long",
  ELOOP: "it has too many symbolic links",
  EMFILE: "the worker has too many open files",
};

/** Returns what an error of the system means, with its path and its code. Returns the message of any other error. */
export function systemFault(error: unknown): string {
  const code = codeOf(error);
  const text = code === undefined ? undefined : texts[code];
  if (text === undefined || !(error instanceof Error))
    return error instanceof Error ? error.message : String(error);
  const path = "path" in error && typeof error.path === "string" ? `${error.path}: ` : "";
  return `${path}${text} (${code})`;
}

/** Reports whether an error means that a disk cannot be written to, which is no fault of the task. */
export function isDiskFault(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EROFS", "EIO"].includes(codeOf(error) ?? "");
}
