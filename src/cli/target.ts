// Chooses the server and the credentials of commands.
import { ClientError } from "../client/client-error.ts";
import { connect, type Client } from "../client/connect.ts";
import type { Credentials } from "../client/signer.ts";
import { CliError } from "./cli-error.ts";
import type { Io } from "./io.ts";
import { readLocalInstance } from "./local-instance.ts";

export interface Target {
  readonly rootUrl: string;
  /** Undefined: calls are anonymous. */
  readonly credentials: Credentials | undefined;
}

/** What to do if there is no server. */
const startHint =
  "Start one with `taskyard up`, set TASKCLUSTER_ROOT_URL to the URL of another, or run a task without a server: " +
  "`taskyard run --local -- COMMAND`.";

export function noLocalServer({ env: { TASKYARD_HOME: home, TASKCLUSTER_ROOT_URL: rootUrl } }: Io): CliError {
  const where = home ? ` in TASKYARD_HOME=${home}` : "";
  const other = rootUrl ? "" : ", and TASKCLUSTER_ROOT_URL is not set";
  // oxlint-disable-next-line messages/next-step -- startHint names it
  return new CliError(`no local server is running${where}${other}.\n${startHint}`);
}

/** Returns the server that the environment names, or else the local one. Throws if there is neither. */
async function findTarget(io: Io): Promise<Target> {
  const { TASKCLUSTER_ROOT_URL: rootUrl } = io.env;
  const credentials = credentialsOf(io.env);
  if (rootUrl) return { rootUrl, credentials };
  const local = await readLocalInstance(io);
  if (local === undefined) throw noLocalServer(io);
  const { clientId, accessToken } = local;
  return { rootUrl: local.rootUrl, credentials: credentials ?? { clientId, accessToken } };
}

/** Returns the root URL of that server. Throws if it is invalid, or if there is no server. */
export async function findRootUrl(io: Io): Promise<string> {
  const { rootUrl } = await findTarget(io);
  return clientOf({ rootUrl, credentials: undefined }).rootUrl;
}

/** Returns a client for that server, after a ping. */
export async function connectTarget(io: Io): Promise<Client> {
  const client = clientOf(await findTarget(io));
  try {
    // No retries: a person is waiting, and a server that is down is rarely back within seconds.
    await client.queue.ping({ retries: 0, timeoutMs: 10_000 });
  } catch (error) {
    if (!(error instanceof ClientError) || error.statusCode !== undefined) throw error;
    // oxlint-disable-next-line messages/next-step -- both hints name it
    throw new CliError(`${error.message}\n${tlsHint(error) ?? startHint}`, { cause: error });
  }
  return client;
}

/** Returns what to do about a TLS connection that failed. Undefined for other errors. */
function tlsHint(error: ClientError): string | undefined {
  const codes = causesOf(error).map((cause) => ("code" in cause ? String(cause.code) : ""));
  if (codes.includes("ERR_SSL_WRONG_VERSION_NUMBER") || codes.includes("ERR_SSL_PACKET_LENGTH_TOO_LONG"))
    return "The server does not use TLS there: let TASKCLUSTER_ROOT_URL begin with http:, or correct its port.";
  if (codes.some((code) => /CERT|UNABLE_TO_|ISSUER/.test(code)))
    return "Set NODE_EXTRA_CA_CERTS to a file with the certificate of its authority, or correct TASKCLUSTER_ROOT_URL.";
  return undefined;
}

const causesOf = (error: unknown): readonly Error[] =>
  error instanceof Error ? [error, ...causesOf(error.cause)] : [];

function clientOf(target: Target): Client {
  try {
    return connect(target);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new CliError(
      `invalid TASKCLUSTER_ variables: ${text}. Correct them, or unset them to use the local server.`,
      { cause: error },
    );
  }
}

/** Returns the credentials in the environment. Throws a `CliError` if a part of them is missing. */
export function credentialsOf(env: Io["env"]): Credentials | undefined {
  const {
    TASKCLUSTER_CLIENT_ID: clientId,
    TASKCLUSTER_ACCESS_TOKEN: accessToken,
    TASKCLUSTER_CERTIFICATE: certificate,
  } = env;
  if (!clientId && !accessToken) return undefined;
  if (!clientId)
    throw new CliError("TASKCLUSTER_ACCESS_TOKEN is set, but TASKCLUSTER_CLIENT_ID is not: set both or none");
  if (!accessToken)
    throw new CliError("TASKCLUSTER_CLIENT_ID is set, but TASKCLUSTER_ACCESS_TOKEN is not: set both or none");
  return { clientId, accessToken, ...(certificate && { certificate }) };
}
