// Scopes that no client and no role may have.
import { ApiError } from "../../../../lib/errors.ts";

/** Throws `InputError` for a scope that ends in `**`: only the last star would be a wildcard. */
export function refuseDoubleStars(scopes: readonly string[]): void {
  const found = scopes.find((scope) => scope.endsWith("**"));
  if (found !== undefined)
    throw new ApiError(
      "InputError",
      `scopes must not end with \`**\`, as '${found}' does. A single star at the end stands for any text.`,
    );
}
