// Finds texts that PostgreSQL cannot read in JSON: those with a NUL character or half of a surrogate pair.

const unstorable = /[\0\p{Surrogate}]/u;

/**
 * Returns the path of the first such text in `value`, such as `metadata.name`, or undefined. `json` is the value as
 * `JSON.stringify` writes it, where such characters are escaped: without a `\u` nothing has to be searched.
 */
export const unstorableTextIn = (value: unknown, json: string): string | undefined =>
  json.includes("\\u") ? find(value, "") : undefined;

function find(value: unknown, path: string): string | undefined {
  if (typeof value === "string") return unstorable.test(value) ? path : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    const found = unstorable.test(key) ? path || "a name" : find(member, at);
    if (found !== undefined) return found;
  }
  return undefined;
}
