// Errors for users when a folder that the program creates or writes cannot be used.
import { sep } from "node:path";
import { isSystemFault, systemFault } from "./system-fault.ts";

export interface UsedFolder {
  readonly path: string;
  /** What the folder is, and how to choose another one: "the home folder", "set TASKYARD_HOME to …". */
  readonly what: string;
  readonly choice: string;
}

/**
 * Runs `work`, which creates or writes the folder or something in it. If the system refuses that, the error names the folder, the
 * reason and what to do. Other errors are thrown unchanged, also those of files elsewhere.
 */
export async function usingFolder<R>({ path, what, choice }: UsedFolder, work: () => Promise<R>): Promise<R> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemFault(error) || !concerns(path, error)) throw error;
    throw new Error(
      `${what} ${path} cannot be used: ${systemFault(error)}. Make it a folder that this user can write, or ${choice}.`,
      { cause: error },
    );
  }
}

/** Reports whether the error is about the folder, something in it, or a parent. A full disk is reported without a path. */
function concerns(folder: string, error: unknown): boolean {
  const path = error instanceof Error && "path" in error ? error.path : undefined;
  if (typeof path !== "string") return true;
  return path === folder || path.startsWith(folder + sep) || folder.startsWith(path + sep);
}
