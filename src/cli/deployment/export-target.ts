// Chooses the server and the credentials of `taskyard export`.
import { withoutTrailingSlashes } from "../../lib/trailing-slashes.ts";
import { connect, type Client } from "../../client/connect.ts";
import { ClientError } from "../../client/client-error.ts";
import { CliError, messageOf, UsageError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { connectTarget, credentialsOf } from "../target.ts";

/**
 * Returns a client of the deployment at `rootUrl`, or else of the server that other commands use. The credentials in the
 * environment belong to the server in the environment, if it names one: another deployment is read without.
 */
export async function exportTarget(rootUrl: string | undefined, io: Io): Promise<Client> {
  if (rootUrl === undefined) return connectTarget(io);
  if (!URL.canParse(rootUrl) || !/^https?:$/.test(new URL(rootUrl).protocol))
    throw new UsageError(
      `--from ${rootUrl} is no root URL: write one such as https://taskcluster.example.com`,
    );
  const own = io.env["TASKCLUSTER_ROOT_URL"];
  const isOwn = !own || withoutTrailingSlashes(own) === withoutTrailingSlashes(rootUrl);
  const credentials = isOwn ? credentialsOf(io.env) : undefined;
  try {
    return connect({ rootUrl, credentials });
  } catch (error) {
    throw new CliError(`${rootUrl} cannot be read: ${messageOf(error)}. Correct --from or the credentials.`, {
      cause: error,
    });
  }
}

/** Returns what to do about a list that the deployment refused. */
export function explainRefusedList(error: unknown, name: string, client: Client): unknown {
  if (!(error instanceof ClientError) || error.statusCode === undefined) return error;
  return new CliError(
    `${client.rootUrl} does not return its ${name}: ${error.message}\n` +
      "For credentials of that deployment, set TASKCLUSTER_ROOT_URL to it as well as TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN. " +
      "--kind limits the export to what the credentials may read.",
    { cause: error },
  );
}
