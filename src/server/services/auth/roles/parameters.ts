// Where the parameter `<..>` may stand in the scopes of a role.
import { ApiError } from "../../../../lib/errors.ts";
import type { Role } from "../../../../lib/scopes/roles.ts";

/** Throws `InputError` for a misplaced parameter. In a role without a star, `<..>` is plain text. */
export function refuseParameters({ roleId, scopes }: Role): void {
  if (!roleId.endsWith("*")) return;
  for (const scope of scopes) {
    if (scope.split("<..>").length > 2)
      throw new ApiError(
        "InputError",
        `parameterized scope '${scope}' contains multiple '<..>'. Use one: it stands for all that the star of '${roleId}' matches.`,
      );
    if (scope.endsWith("*<..>"))
      throw new ApiError(
        "InputError",
        `parameterized scope '${scope}' ends with '*<..>', which would be a wildcard if the parameter is empty. Remove the star.`,
      );
  }
}
