// `taskyard auth scopes` and `taskyard auth expand`.
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine, writeLines } from "../io.ts";
import { connectTarget } from "../target.ts";
import { scopeOptions, scopesOf } from "./scope-options.ts";

export const scopesCommand = command({
  name: "auth scopes",
  summary: "List the scopes that you have.",
  details: ["Lists the scopes of the credentials that commands use, with those that roles grant."],
  args: [],
  options: { json: jsonOption },
  examples: [{ command: "taskyard auth scopes", description: "List your scopes." }],
  async run({ options, io }) {
    const { auth } = await connectTarget(io);
    const { scopes } = await auth.currentScopes();
    if (options.json) writeJson(io.stdout, { scopes });
    else if (scopes.length === 0) writeLine(io.stderr, "you have no scopes");
    else writeLines(io.stdout, scopes);
    return exitStatus.ok;
  },
});

export const expandCommand = command({
  name: "auth expand",
  summary: "List what scopes grant through roles.",
  args: [],
  options: { ...scopeOptions, json: jsonOption },
  examples: [
    {
      command: "taskyard auth expand --scope assume:project:app",
      description: "List the scopes of a client that has the role `project:app`.",
    },
  ],
  async run({ options, io }) {
    const given = await scopesOf(options, io);
    if (given === undefined) throw new UsageError("no scopes: use --scope or --scopes");
    const { auth } = await connectTarget(io);
    const { scopes } = await auth.expandScopes({ scopes: given });
    if (options.json) writeJson(io.stdout, { scopes });
    else writeLines(io.stdout, scopes);
    return exitStatus.ok;
  },
});
