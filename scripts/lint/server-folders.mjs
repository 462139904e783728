// An oxlint rule: a folder of src/server may be imported only through its index.ts. The exception is core, which may be
// imported anywhere and imports no other folder. The built-in no-restricted-imports cannot express this: it matches the
// text of an import, not the folders of the two files, and a pattern with look-ahead never matches.
import path from "node:path";

/** Returns the private folder that contains a file: directly below src/server, or for a service below src/server/services. */
export function folderOf(file) {
  const [, inside] = file.split(/(?:^|\/)src\/server\//);
  if (inside === undefined) return undefined;
  const [first, second, ...rest] = inside.split("/");
  if (first === "services" && rest.length > 0) return `services/${second}`;
  return second === undefined ? "" : first;
}

/** Returns the problem with an import of `to` in `from` (both paths with slashes), or undefined. */
export function problemOf(from, to) {
  const own = folderOf(from);
  const other = folderOf(to);
  if (own === undefined || other === undefined || own === other) return undefined;
  if (own === "core")
    return "core is the foundation of the server: it must not import other folders of src/server.";
  if (other === "core" || other === "" || path.posix.basename(to) === "index.ts") return undefined;
  // The list of services, which loads the rest of a service on demand.
  if (own === "" && path.posix.basename(to) === "settings.ts") return undefined;
  return `src/server/${other} may be imported only through its index.ts, so that its internals can change.`;
}

const rule = {
  create(context) {
    const from = context.filename.split(path.sep).join("/");
    const check = (node) => {
      const source = node.source?.value;
      if (typeof source !== "string" || !source.startsWith(".")) return;
      const message = problemOf(from, path.posix.join(path.posix.dirname(from), source));
      if (message !== undefined) context.report({ node, message });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    };
  },
};

export default { meta: { name: "taskyard" }, rules: { "server-folders": rule } };
