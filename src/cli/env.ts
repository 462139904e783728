// `taskyard env`.
import { exitStatus } from "./cli-error.ts";
import { command, jsonOption } from "./command.ts";
import { writeJson, writeLine } from "./io.ts";
import { readLocalInstance } from "./local-instance.ts";
import { shellQuote } from "../lib/shell-quote.ts";
import { pathLine } from "./shell.ts";
import { noLocalServer } from "./target.ts";

export const envCommand = command({
  name: "env",
  summary: "Print the variables with which a shell and other tools use the local server.",
  details: [
    "The output also puts `taskyard` on the PATH, unless it is there already. It is for POSIX shells.",
    "The output contains the access token of the root client, which has all permissions on this server. If " +
      "TASKCLUSTER_CERTIFICATE is set, the output unsets it: a certificate belongs to other credentials.",
  ],
  args: [],
  options: { json: jsonOption },
  examples: [{ command: 'eval "$(taskyard env)"', description: "Set up this shell." }],
  async run({ options, io }) {
    const local = await readLocalInstance(io);
    if (local === undefined) throw noLocalServer(io);
    const variables = {
      TASKCLUSTER_ROOT_URL: local.rootUrl,
      TASKCLUSTER_CLIENT_ID: local.clientId,
      TASKCLUSTER_ACCESS_TOKEN: local.accessToken,
    };
    if (options.json) {
      writeJson(io.stdout, variables);
      return exitStatus.ok;
    }
    for (const [name, value] of Object.entries(variables))
      writeLine(io.stdout, `export ${name}=${shellQuote(value)}`);
    if (io.env["TASKCLUSTER_CERTIFICATE"]) writeLine(io.stdout, "unset TASKCLUSTER_CERTIFICATE");
    writeLine(io.stdout, pathLine(io.programFolder));
    return exitStatus.ok;
  },
});
