// `taskyard auth preview`.
import type { PreviewRoleReply } from "../../api/auth/explain.ts";
import { ClientError } from "../../client/client-error.ts";
import { counted } from "../../lib/counted.ts";
import { exitStatus, UsageError } from "../cli-error.ts";
import { colorsFor, type Colors } from "../colors.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLines } from "../io.ts";
import { connectTarget } from "../target.ts";
import { changedScopeOptions, changedScopes, changesScopes } from "./scope-options.ts";

export const previewCommand = command({
  name: "auth preview",
  summary: "Show who would gain or lose which scopes if a role were changed.",
  details: [
    "Changes nothing. The role need not exist yet. Afterwards, `taskyard auth role create` or `update` with the same options makes the change.",
  ],
  args: [{ name: "ROLE_ID" }],
  options: {
    ...changedScopeOptions,
    delete: { type: "flag", summary: "Preview the deletion of the role." },
    json: jsonOption,
  },
  examples: [
    {
      command: "taskyard auth preview 'project:*' --add-scope 'secrets:get:<..>/*'",
      description: "Show who would get which secrets.",
    },
    { command: "taskyard auth preview project:old --delete", description: "Show who still needs a role." },
  ],
  async run({ options, args: [roleId = ""], io }) {
    if (options.delete === changesScopes(options))
      throw new UsageError(
        "auth preview needs a change: use --add-scope, --remove-scope or --scope, or else --delete",
      );
    const { auth } = await connectTarget(io);
    const isRelative = options["add-scope"].length + options["remove-scope"].length > 0;
    const current = isRelative
      ? await auth.role({ roleId }).then(
          (role) => role.scopes,
          (error: unknown) => {
            if (error instanceof ClientError && error.code === "ResourceNotFound") return [];
            throw error;
          },
        )
      : [];
    const scopes = options.delete ? null : await changedScopes(options, current, io);
    const reply = await auth.previewRole({ roleId, scopes });
    if (options.json) writeJson(io.stdout, reply);
    else writeLines(io.stdout, describe(reply, colorsFor(io.stdout, io.env)));
    return exitStatus.ok;
  },
});

const verbs = { created: "created", updated: "changed", deleted: "deleted", none: "left as it is" } as const;

function describe(reply: PreviewRoleReply, colors: Colors): string[] {
  const { roleId, change, clients, roles, affectedClients, affectedRoles, note } = reply;
  const lines = [`If the role ${roleId} were ${verbs[change]}:`];
  if (note !== undefined) lines.push(colors.yellow(note));
  if (affectedClients + affectedRoles === 0) return [...lines, "Nobody would gain or lose scopes."];
  lines.push("", `${counted(affectedClients, "client")} would gain (+) or lose (-) scopes:`);
  for (const client of clients) lines.push(...changeLines(client.clientId, client, colors));
  lines.push(...omitted(affectedClients - clients.length, reply.hiddenClients));
  lines.push("", `Holders of ${counted(affectedRoles, "role")} would gain (+) or lose (-) scopes:`);
  for (const role of roles) lines.push(...changeLines(role.roleId, role, colors));
  return [...lines, ...omitted(affectedRoles - roles.length, reply.hiddenRoles)];
}

function changeLines(
  id: string,
  {
    gained,
    lost,
    omittedScopes = 0,
  }: PreviewRoleReply["clients"][number] | PreviewRoleReply["roles"][number],
  colors: Colors,
): string[] {
  return [
    `  ${id}`,
    ...gained.map((scope) => `    ${colors.green(`+ ${scope}`)}`),
    ...lost.map((scope) => `    ${colors.red(`- ${scope}`)}`),
    ...(omittedScopes > 0 ? [`    … and ${omittedScopes} more`] : []),
  ];
}

const omitted = (count: number, hidden: number): string[] =>
  count === 0 ? [] : [`  … and ${count} more${hidden > 0 ? `, ${hidden} of which you may not read` : ""}`];
