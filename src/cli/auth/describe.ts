// Shows clients and roles to people.
import type { ClientReply } from "../../api/auth/clients.ts";
import type { RoleReply } from "../../api/auth/roles.ts";
import { formatFacts, localTime, oneLine } from "../format.ts";

/** Returns whether a client can sign requests. */
export function stateOf({ disabled, expires }: ClientReply, now: number): "enabled" | "disabled" | "expired" {
  if (disabled) return "disabled";
  return Date.parse(expires) < now ? "expired" : "enabled";
}

export function describeClient(client: ClientReply, now: number): string[] {
  return [
    ...formatFacts([
      ["client", client.clientId],
      ["state", stateOf(client, now)],
      ["description", oneLine(client.description)],
      ["expires", localTime(client.expires) + (client.deleteOnExpiration ? ", and is then deleted" : "")],
      ["created", localTime(client.created)],
      ["modified", localTime(client.lastModified)],
      ["last used", localTime(client.lastDateUsed)],
      ["token since", localTime(client.lastRotated)],
    ]),
    ...scopeLists(client),
  ];
}

export const describeRole = (role: RoleReply): string[] => [
  ...formatFacts([
    ["role", role.roleId],
    ["description", oneLine(role.description)],
    ["created", localTime(role.created)],
    ["modified", localTime(role.lastModified)],
  ]),
  ...scopeLists(role),
];

/** Lists the assigned scopes, then those that follow from them by roles. */
function scopeLists({ scopes, expandedScopes }: Pick<RoleReply, "scopes" | "expandedScopes">): string[] {
  const assigned = new Set(scopes);
  const others = expandedScopes.filter((scope) => !assigned.has(scope));
  return [...list("scopes:", scopes), ...(others.length > 0 ? list("with these, by roles:", others) : [])];
}

const list = (title: string, scopes: readonly string[]): string[] => [
  title,
  ...(scopes.length === 0 ? ["  none"] : scopes.map((scope) => `  ${scope}`)),
];
