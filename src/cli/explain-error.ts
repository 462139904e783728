// Adds to the errors of servers and of the system what a user of the command line can do about them.
import { ClientError } from "../client/client-error.ts";
import { messageOf } from "./cli-error.ts";
import type { Io } from "./io.ts";

/** Returns the text with which an error is reported. */
export function explainError(error: unknown, { env }: Pick<Io, "env">): string {
  if (error instanceof ClientError) return explainRefusal(error, env);
  return explainSystemError(error) ?? messageOf(error);
}

function explainRefusal(error: ClientError, env: Io["env"]): string {
  const { message, statusCode, code } = error;
  // Every refusal of a Taskyard or Taskcluster server has a code.
  if (statusCode !== undefined && statusCode < 500 && code === `Status${statusCode}`)
    return `${message}: ${env["TASKCLUSTER_ROOT_URL"] ?? "the URL"} is no Taskyard server, or something in between replies for it; check TASKCLUSTER_ROOT_URL`;
  if (statusCode === 404 && message.startsWith("There is nothing at") && hasPath(env))
    return `${message}\nTASKCLUSTER_ROOT_URL is ${env["TASKCLUSTER_ROOT_URL"]}: remove its path if the server is not below it`;
  if (code === "InsufficientScopes" && isAnonymous(env))
    return (
      `${error.method} requires credentials: \`eval "$(taskyard env)"\` sets those of the local server; for another, set ` +
      "TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN"
    );
  if (code === "AuthenticationFailed" && env["TASKCLUSTER_CLIENT_ID"])
    return (
      `${message}\nThe command used the credentials of TASKCLUSTER_CLIENT_ID (${env["TASKCLUSTER_CLIENT_ID"]}): correct them, or ` +
      'use those of the local server: `eval "$(taskyard env)"`'
    );
  return message;
}

const isAnonymous = (env: Io["env"]): boolean =>
  Boolean(env["TASKCLUSTER_ROOT_URL"]) && !env["TASKCLUSTER_CLIENT_ID"];

function hasPath({ TASKCLUSTER_ROOT_URL: rootUrl = "" }: Io["env"]): boolean {
  return URL.canParse(rootUrl) && new URL(rootUrl).pathname !== "/";
}

/** What failed system calls mean, with what to do. */
const systemErrors: Readonly<Record<string, (path: string) => string>> = {
  EACCES: (path) => `no permission for ${path}: choose another place, or change its permissions`,
  EADDRINUSE: (path) => `${path} is in use by another process: choose another port`,
  EADDRNOTAVAIL: (path) => `${path} is no address of this machine: choose another host`,
  EEXIST: (path) => `${path} exists already: remove it, or choose another name`,
  EISDIR: (path) => `${path} is a folder: choose the name of a file`,
  EMFILE: (path) => `too many files are open, so ${path} cannot be: raise the limit (\`ulimit -n\`)`,
  ENOENT: (path) => `${path} does not exist: create it, or check the path`,
  ENOSPC: (path) => `the disk of ${path} is full: free some space, or choose another place`,
  ENOTDIR: (path) => `a part of ${path} is a file, not a folder: choose another path`,
  EPERM: (path) => `the system does not allow this for ${path}: choose another place, or run as its owner`,
  EROFS: (path) => `${path} is on a read-only file system: choose another place`,
};

function explainSystemError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, path, address, port }: NodeJS.ErrnoException & { address?: unknown; port?: unknown } = error;
  const what = path ?? (address === undefined ? undefined : [address, port].filter(Boolean).join(":"));
  return code === undefined || what === undefined ? undefined : systemErrors[code]?.(what);
}
