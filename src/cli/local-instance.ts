// What `taskyard up` left in the home folder for other commands: where the server is, and the root client's token.
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import Type, { type Static, type TSchema } from "typebox";
import Value from "typebox/value";
import { CliError, messageOf } from "./cli-error.ts";
import type { Io } from "./io.ts";

const ServerFile = Type.Object({
  rootUrl: Type.String(),
  clientId: Type.String(),
  pid: Type.Integer({ minimum: 1 }),
});
const SecretsFile = Type.Object({ rootAccessToken: Type.String() });

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
  const server = await readJson(join(home, "server.json"), ServerFile);
  // A server that was killed left its file behind.
  if (server === undefined || !isAlive(server.pid)) return undefined;
  const { rootUrl, clientId } = server;
  const accessToken =
    io.env["TASKYARD_AUTH_ROOT_ACCESS_TOKEN"] ??
    (await readJson(join(home, "secrets.json"), SecretsFile))?.rootAccessToken;
  if (accessToken === undefined) {
    throw new CliError(`${join(home, "secrets.json")} is missing: start \`taskyard up\` again`);
  }
  return { rootUrl, clientId, accessToken };
}

async function readJson<T extends TSchema>(file: string, schema: T): Promise<Static<T> | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new CliError(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  try {
    const content: unknown = JSON.parse(text);
    if (Value.Check(schema, content)) return content;
  } catch {
    // Told below; the parser's own words would quote the secrets.
  }
  throw new CliError(`${file} is damaged: stop the server and start \`taskyard up\` again`);
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
