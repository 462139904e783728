// Explains why a program could not be started, in words for the author of the task.
import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";
import { codeOf } from "../../../lib/error-code.ts";
import { messageOf } from "../../worker-monitor.ts";

interface Attempt {
  readonly program: string;
  readonly cwd: string;
  readonly path: string;
}

/** Returns why the kernel refused to start a process, from the error of `spawn`. */
export function spawnFault(error: unknown): string {
  const code = codeOf(error);
  if (code === "E2BIG")
    return (
      "its arguments and variables are larger than the system accepts (on Linux 128 KiB for each, and 2 MiB for all); " +
      "write long values to a file"
    );
  if (code === "EAGAIN") return "the system allows no more processes; the worker's machine has too many";
  if (code === "ENOMEM") return "the worker's machine has no more memory";
  return messageOf(error);
}

/**
 * Returns why a shell could not start this program, or undefined if there is no reason: then the program itself has ended
 * with status 126 or 127. Finds the program as the shell does.
 */
export async function startFault({ program, cwd, path }: Attempt): Promise<string | undefined> {
  if (!(await isFolder(cwd))) return "its working directory was removed";
  if (program === "") return "its name is empty";
  const file = program.includes("/") ? resolve(cwd, program) : await inPath({ program, cwd, path });
  if (file === undefined) return "there is no such program in the folders of PATH";
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return "there is no such program";
  if (found.isDirectory()) return "it is a folder";
  // The worker may be root, so this looks at the bits of the file and not at its own rights.
  if (!found.isFile() || (found.mode & 0o111) === 0)
    return "it is not executable; set its mode (chmod +x), or run it with its interpreter";
  return interpreterFault(await firstLine(file), cwd);
}

async function interpreterFault(line: string, cwd: string): Promise<string | undefined> {
  const interpreter = /^#![ \t]*([^ \t\n]+)/.exec(line)?.[1];
  if (interpreter === undefined) return undefined;
  if (line.endsWith("\r"))
    return "its first line ends with a carriage return, which Linux takes for a part of the interpreter's name; save it with line ends of Unix (LF)";
  const there = await access(
    isAbsolute(interpreter) ? interpreter : join(cwd, interpreter),
    constants.X_OK,
  ).then(
    () => true,
    () => false,
  );
  return there ? undefined : `its first line names the interpreter ${interpreter}, which does not exist here`;
}

async function inPath({ program, cwd, path }: Attempt): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    const file = resolve(cwd, folder, program);
    if ((await stat(file).catch(() => undefined))?.isFile()) return file;
  }
  return undefined;
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function firstLine(path: string): Promise<string> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
      return buffer.toString("latin1", 0, bytesRead).split("\n", 1)[0] ?? "";
    } finally {
      await file.close();
    }
  } catch {
    return "";
  }
}
