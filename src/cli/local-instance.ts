// What `taskyard up` left in the home folder for other commands: where the server is, and the root client's token.
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { CliError, messageOf } from "./cli-error.ts";
import type { Io } from "./io.ts";

/** A server that runs on this machine, and the credentials of its root client. */
export interface LocalInstance {
  readonly rootUrl: string;
  readonly clientId: string;
  readonly accessToken: string;
}

/** The folder of the local instance. */
export const homeFolder = ({ env, cwd }: Pick<Io, "env" | "cwd">): string =>
  env["TASKYARD_HOME"] ? resolve(cwd, env["TASKYARD_HOME"]) : join(homedir(), ".taskyard");

/** The instance that runs now, or `undefined` where there is none. Throws where its files cannot be used. */
export async function readLocalInstance(io: Pick<Io, "env" | "cwd">): Promise<LocalInstance | undefined> {
  const home = homeFolder(io);
  const server = await readMembers(join(home, "server.json"), ["rootUrl", "clientId", "accessToken", "pid"]);
  // A server that was killed left its file behind.
  if (server === undefined || !isAlive(Number(server.pid))) return undefined;
  const { rootUrl, clientId, accessToken } = server;
  return { rootUrl, clientId, accessToken };
}

/**
 * Members of the JSON object in a file, as text; `undefined` where there is no file. Checked by hand: a validator takes
 * longer to load than most commands run.
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
    throw new CliError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  let members: Readonly<Record<string, unknown>> = {};
  try {
    members = { ...(JSON.parse(text) as object | null) };
  } catch {
    // Told below; the parser's own words would quote the secrets.
  }
  const found = names.map((name) => {
    const member = members[name];
    if (typeof member === "string" || typeof member === "number") return [name, String(member)];
    throw new CliError(`${file} is damaged: stop the server and start \`taskyard up\` again`);
  });
  // Each of the names is there, or an error was thrown.
  return Object.fromEntries(found) as Record<K, string>;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of somebody else's that we may not signal is alive too.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
