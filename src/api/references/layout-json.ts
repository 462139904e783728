// JSON for readers: a list or object is on one line if it fits, and else one member is on each line.

/** Returns the text of a JSON value, with lines of at most `width` characters where the values permit. */
export function layoutJson(value: unknown, width = 76): string {
  return layout(value, 0, 0, width);
}

/** `used` is how much of the line is taken before and after the value, beside its indentation. */
function layout(value: unknown, indent: number, used: number, width: number): string {
  const flat = onOneLine(value);
  if (typeof value !== "object" || value === null || indent + used + flat.length <= width) return flat;
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const members = Object.entries(value).map(([name, member]) => {
    const key = Array.isArray(value) ? "" : `${JSON.stringify(name)}: `;
    return " ".repeat(indent + 2) + key + layout(member, indent + 2, key.length + 1, width);
  });
  return [open, members.join(",\n"), " ".repeat(indent) + close].join("\n");
}

function onOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(onOneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}: ${onOneLine(member)}`,
  );
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}
