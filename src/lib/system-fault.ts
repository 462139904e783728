// Errors of the system, in words for operators and authors of tasks.
import { codeOf } from "./error-code.ts";

const texts: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EROFS: "the file system is read-only",
  EIO: "the disk reports errors",
  EACCES: "this user has no permission",
  EPERM: "the system does not permit it",
  ENOENT: "it does not exist",
  ENOTDIR: "a part of the path is not a folder",
  ENAMETOOLONG: "the path is too long",
  ELOOP: "it has too many symbolic links",
  EMFILE: "this process has too many open files",
  EEXIST: "a file is in its place",
  EISDIR: "a folder is in its place",
};

/** Returns what an error of the system means, with its path and its code. Returns the message of any other error. */
export function systemFault(error: unknown): string {
  const code = codeOf(error);
  const text = code === undefined ? undefined : texts[code];
  if (text === undefined || !(error instanceof Error))
    return error instanceof Error ? error.message : String(error);
  const path = "path" in error && typeof error.path === "string" ? `${error.path}: ` : "";
  // As in /proc. Where a parent is missing, that is created first.
  const isNewFolder = code === "ENOENT" && "syscall" in error && error.syscall === "mkdir";
  return `${path}${isNewFolder ? "no folder can be created here" : text} (${code})`;
}

/** Reports whether the system refused an operation on a file or folder, other than starting it as a program. */
export function isSystemFault(error: unknown): boolean {
  if (!(error instanceof Error) || !Object.hasOwn(texts, codeOf(error) ?? "")) return false;
  const call = "syscall" in error ? String(error.syscall) : "";
  return !/^(spawn|connect|listen|bind|kill)/.test(call);
}

/** Reports whether an error means that a disk cannot be written to, which is no fault of the task. */
export function isDiskFault(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EROFS", "EIO"].includes(codeOf(error) ?? "");
}
