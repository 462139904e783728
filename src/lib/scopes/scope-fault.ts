// Which scopes no client and no role may be given. Servers refuse them; the command line finds them before it sends them.

/**
 * Returns what is wrong with a scope of a client, or of the role `roleId`, and what would be right. Undefined if nothing is.
 * In a role without a star, `<..>` is plain text.
 */
export function scopeFault(scope: string, roleId = ""): string | undefined {
  // Only the last star would be a wildcard.
  if (scope.endsWith("**"))
    return `scopes must not end with \`**\`, as '${scope}' does. A single star at the end stands for any text.`;
  if (!roleId.endsWith("*")) return undefined;
  if (scope.split("<..>").length > 2)
    return `parameterized scope '${scope}' contains multiple '<..>'. Use one: it stands for all that the star of '${roleId}' matches.`;
  if (scope.endsWith("*<..>"))
    return `parameterized scope '${scope}' ends with '*<..>', which would be a wildcard if the parameter is empty. Remove the star.`;
  return undefined;
}
