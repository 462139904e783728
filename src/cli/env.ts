// `taskyard env`: points other tools at the local instance.
import { CliError, exitStatus } from "./cli-error.ts";
import { command, jsonOption } from "./command.ts";
import { writeLine, writeJson } from "./io.ts";
import { readLocalInstance } from "./local-instance.ts";
import { startHint } from "./target.ts";

export const envCommand = command({
  name: "env",
  summary: "Print the variables that point tools at the local server.",
  details: [
    "They hold the access token of the root client: whoever has it may do everything on this server. The certificate " +
      "of other credentials, where one is set, is taken back, since it would not fit.",
  ],
  args: [],
  options: { json: jsonOption },
  examples: [{ command: 'eval "$(taskyard env)"', says: "Set them in this shell." }],
  async run({ options, io }) {
    const local = await readLocalInstance(io);
    if (local === undefined) throw new CliError(`no server is running here.\n${startHint}`);
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
      writeLine(io.stdout, `export ${name}=${quoted(value)}`);
    if (io.env["TASKCLUSTER_CERTIFICATE"]) writeLine(io.stdout, "unset TASKCLUSTER_CERTIFICATE");
    return exitStatus.ok;
  },
});

/** A word as any POSIX shell reads it back. */
const quoted = (value: string): string =>
  /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
