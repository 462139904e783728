// `taskyard auth client list` and `taskyard auth client show`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { localTime, timeBetween } from "../format.ts";
import { writeJson, writeLines } from "../io.ts";
import { limitOf, pageOptions } from "../page-options.ts";
import { firstElements } from "../paginate.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";
import { describeClient, stateOf } from "./describe.ts";

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
    const clients = await firstElements(
      limit,
      (page) => auth.listClients({ query: { ...page, ...(prefix && { prefix }) } }),
      (page) => page.clients,
    );
    const now = Date.now();
    return writeList(io, options.json, {
      name: "clients",
      ...clients,
      header: ["CLIENT", "STATE", "EXPIRES", "LAST USED", "SCOPES"],
      row: (client) => [
        client.clientId,
        stateOf(client, now),
        localTime(client.expires).slice(0, 10),
        `${timeBetween(client.lastDateUsed, new Date(now).toISOString())} ago`,
        String(client.scopes.length),
      ],
      none: prefix ? `no client begins with ${prefix}` : "there are no clients",
    });
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
