// `taskyard auth client list` and `taskyard auth client show`.
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { localTime, timeBetween } from "../format.ts";
import { writeJson, writeLine, writeLines } from "../io.ts";
import { firstElements } from "../paginate.ts";
import { parseLimit } from "../parse-limit.ts";
import { writeTable } from "../table.ts";
import { connectTarget } from "../target.ts";
import { describeClient, stateOf } from "./describe.ts";

export const pageOptions = {
  limit: { type: "value", value: "N", summary: "Maximum number of lines. Default: 50." },
  all: { type: "flag", summary: "List all of them." },
  json: jsonOption,
} as const;

/** Returns how many elements to list. */
export function limitOf({
  all,
  limit,
}: {
  readonly all: boolean;
  readonly limit: string | undefined;
}): number {
  if (all && limit !== undefined) throw new UsageError("--all and --limit: use one of them");
  return all ? Infinity : parseLimit(limit);
}

export const clientListCommand = command({
  name: "auth client list",
  summary: "List clients, whose credentials sign requests.",
  args: [],
  options: {
    prefix: { type: "value", value: "TEXT", summary: "Only clients whose ids begin with this text." },
    ...pageOptions,
  },
  examples: [
    { command: "taskyard auth client list --prefix ci/", description: "List the clients below `ci/`." },
  ],
  async run({ options, io }) {
    const { prefix } = options;
    const limit = limitOf(options);
    const { auth } = await connectTarget(io);
    const { found: clients, goesOn } = await firstElements(
      limit,
      (page) => auth.listClients({ query: { ...page, ...(prefix && { prefix }) } }),
      (page) => page.clients,
    );
    if (options.json) {
      writeJson(io.stdout, { clients });
      return exitStatus.ok;
    }
    const now = Date.now();
    const rows = clients.map((client) => [
      client.clientId,
      stateOf(client, now),
      localTime(client.expires).slice(0, 10),
      `${timeBetween(client.lastDateUsed, new Date(now).toISOString())} ago`,
      String(client.scopes.length),
    ]);
    if (rows.length === 0)
      writeLine(io.stderr, prefix ? `no client begins with ${prefix}` : "there are no clients");
    else writeTable(io.stdout, ["CLIENT", "STATE", "EXPIRES", "LAST USED", "SCOPES"], rows);
    if (goesOn) writeLine(io.stderr, "… and possibly more: use --limit or --all");
    return exitStatus.ok;
  },
});

export const clientShowCommand = command({
  name: "auth client show",
  summary: "Show a client and its scopes.",
  args: [{ name: "CLIENT_ID" }],
  options: { json: jsonOption },
  examples: [{ command: "taskyard auth client show ci/app", description: "Show a client." }],
  async run({ options, args, io }) {
    const { auth } = await connectTarget(io);
    const client = await auth.client({ clientId: args[0] ?? "" });
    if (options.json) writeJson(io.stdout, client);
    else writeLines(io.stdout, describeClient(client, Date.now()));
    return exitStatus.ok;
  },
});
