// JSON pointers as JavaScript paths, for error messages about parts of a value.

/** Converts a JSON pointer such as `/routes/2/a~1b` to `.routes[2].a/b`. The empty pointer becomes an empty path. */
export const memberPath = (pointer: string): string =>
  pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`))
    .join("");
