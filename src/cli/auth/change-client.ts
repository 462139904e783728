// `taskyard auth client create`, `update`, `enable`, `disable`, `delete` and `reset`.
import type { CreatedClient } from "../../api/auth/clients.ts";
import type { Client } from "../../client/connect.ts";
import { changeCommand } from "../change-command.ts";
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { localTime } from "../format.ts";
import { writeJson, writeLine, type Io } from "../io.ts";
import { connectTarget } from "../target.ts";
import { expiresOption, parseExpiry } from "../parse-expiry.ts";
import {
  changedScopeOptions,
  changedScopes,
  changesScopes,
  scopeOptions,
  scopesOf,
} from "./scope-options.ts";

const args = [{ name: "CLIENT_ID" }] as const;
const descriptionOption = { type: "value", value: "TEXT", summary: "What the client is for." } as const;
const deleteOption = { type: "flag", summary: "Delete the client when it expires." } as const;

/** Writes a client with its access token, which no other command shows. */
function writeCreated(io: Io, client: CreatedClient, asJson: boolean, what: string): number {
  if (asJson) writeJson(io.stdout, client);
  else {
    writeLine(io.stdout, `client ${client.clientId} ${what}; it expires at ${localTime(client.expires)}`);
    writeLine(io.stdout, `access token: ${client.accessToken}`);
    writeLine(io.stderr, "Keep the token: it is not shown again. `taskyard auth client reset` replaces it.");
  }
  return exitStatus.ok;
}

export const clientCreateCommand = command({
  name: "auth client create",
  summary: "Create a client, and print its access token.",
  details: ["You can give a client only scopes that you have yourself."],
  args,
  options: {
    description: descriptionOption,
    expires: { ...expiresOption, summary: `${expiresOption.summary} Default: in a year.` },
    "delete-on-expiration": deleteOption,
    ...scopeOptions,
    json: jsonOption,
  },
  examples: [
    {
      command: "taskyard auth client create ci/app --scope assume:project:app --expires 90d",
      description: "Create a client that has the role `project:app`.",
    },
  ],
  async run({ options, args: words, io }) {
    const expires = parseExpiry(options.expires ?? "1 year", Date.now());
    const scopes = (await scopesOf(options, io)) ?? [];
    const { auth } = await connectTarget(io);
    const created = await auth.createClient(
      { clientId: words[0] ?? "" },
      {
        description: options.description ?? "",
        expires,
        deleteOnExpiration: options["delete-on-expiration"],
        scopes,
      },
    );
    return writeCreated(io, created, options.json, "created");
  },
});

export const clientUpdateCommand = command({
  name: "auth client update",
  summary: "Change the scopes, description or expiry of a client.",
  details: ["What no option names stays as it is."],
  args,
  options: {
    description: descriptionOption,
    expires: expiresOption,
    "delete-on-expiration": deleteOption,
    ...changedScopeOptions,
    json: jsonOption,
  },
  examples: [
    {
      command: "taskyard auth client update ci/app --add-scope queue:route:index.app.*",
      description: "Give a client another scope.",
    },
  ],
  async run({ options, args: words, io }) {
    const { description, expires, "delete-on-expiration": deletes } = options;
    if (!changesScopes(options) && description === undefined && expires === undefined && !deletes)
      throw new UsageError("nothing to change: use --add-scope, --expires or another of the options");
    const until = expires === undefined ? undefined : parseExpiry(expires, Date.now());
    const clientId = words[0] ?? "";
    const { auth } = await connectTarget(io);
    const current = await auth.client({ clientId });
    const updated = await auth.updateClient(
      { clientId },
      {
        description: description ?? current.description,
        expires: until ?? current.expires,
        deleteOnExpiration: deletes || current.deleteOnExpiration,
        ...(changesScopes(options) && { scopes: await changedScopes(options, current.scopes, io) }),
      },
    );
    if (options.json) writeJson(io.stdout, updated);
    else writeLine(io.stdout, `client ${clientId} updated`);
    return exitStatus.ok;
  },
});

/** Declares `enable` or `disable`. */
const switchCommand = (
  word: "enable" | "disable",
  summary: string,
  example: string,
  change: (client: Client, clientId: string) => Promise<object>,
) =>
  changeCommand({
    name: `auth client ${word}`,
    summary,
    args,
    examples: [{ command: `taskyard auth client ${word} ci/app`, description: example }],
    change,
    done: (clientId) => `client ${clientId} is ${word}d`,
  });

export const clientEnableCommand = switchCommand(
  "enable",
  "Let a disabled client sign requests again.",
  "Enable a client.",
  ({ auth }, clientId) => auth.enableClient({ clientId }),
);

export const clientDisableCommand = switchCommand(
  "disable",
  "Refuse the requests of a client, and what it waits for, until it is enabled.",
  "Disable a client whose token may have leaked.",
  ({ auth }, clientId) => auth.disableClient({ clientId }),
);

export const clientDeleteCommand = changeCommand({
  name: "auth client delete",
  summary: "Delete a client.",
  args,
  examples: [
    { command: "taskyard auth client delete ci/app", description: "Delete a client, if it exists." },
  ],
  async change({ auth }, clientId) {
    await auth.deleteClient({ clientId });
    return { clientId };
  },
  done: (clientId) => `client ${clientId} deleted`,
});

export const clientResetCommand = command({
  name: "auth client reset",
  summary: "Replace the access token of a client, and print the new one.",
  details: ["The former token stops working immediately."],
  args,
  options: { json: jsonOption },
  examples: [{ command: "taskyard auth client reset ci/app", description: "Create another token." }],
  async run({ options, args: [clientId = ""], io }) {
    const { auth } = await connectTarget(io);
    return writeCreated(io, await auth.resetAccessToken({ clientId }), options.json, "has a new token");
  },
});
