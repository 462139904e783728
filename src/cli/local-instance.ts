// Finds the server that `taskyard up` started on this machine, by the file that it writes to the home folder.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { systemFault } from "../lib/system-fault.ts";
import { CliError } from "./cli-error.ts";
import type { Io } from "./io.ts";
import { userHome } from "../lib/user-home.ts";

/** A server on this machine, with the credentials of its root client. */
export interface LocalInstance {
  readonly rootUrl: string;
  readonly clientId: string;
  readonly accessToken: string;
}

/** Returns the home folder of the local instance. */
export const homeFolder = ({ env, cwd }: Pick<Io, "env" | "cwd">): string =>
  env["TASKYARD_HOME"] ? resolve(cwd, env["TASKYARD_HOME"]) : join(userHome(), ".taskyard");

/** Returns the running instance, or undefined if none is running. Throws if its file cannot be used. */
export async function readLocalInstance(io: Pick<Io, "env" | "cwd">): Promise<LocalInstance | undefined> {
  const home = homeFolder(io);
  const server = await readMembers(join(home, "server.json"), ["rootUrl", "clientId", "accessToken", "pid"]);
  // A server that was killed leaves its file behind.
  if (server === undefined || !isAlive(Number(server.pid))) return undefined;
  const { rootUrl, clientId, accessToken } = server;
  return { rootUrl, clientId, accessToken };
}

/**
 * Returns members of the JSON object in a file as text, or undefined if the file does not exist. Checks them by hand: a
 * validator takes longer to load than most commands run.
 */
async function readMembers<K extends string>(
  file: string,
  names: readonly K[],
): Promise<Readonly<Record<K, string>> | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new CliError(
      `cannot read the file of the local server: ${systemFault(error)}. Run the command as the user who started the server, or set TASKYARD_HOME.`,
      { cause: error },
    );
  }
  let members: Readonly<Record<string, unknown>> = {};
  try {
    members = { ...(JSON.parse(text) as object | null) };
  } catch {
    // Reported below: the parser's message would quote the secrets.
  }
  const found = names.map((name) => {
    const member = members[name];
    if (typeof member === "string" || typeof member === "number") return [name, String(member)];
    throw new CliError(`${file} is damaged: stop the server and start \`taskyard up\` again`);
  });
  // Holds all names, or an error was thrown.
  return Object.fromEntries(found) as Record<K, string>;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process is alive and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
