// A rule for oxlint: a folder of src/server is imported through its index.ts. Only core is open to everybody, and core
// imports no other folder. The built-in no-restricted-imports cannot say this: it sees the text of an import and not the
// folders that it leads from and to, and its patterns have no look-ahead (one that uses it never matches).
import path from "node:path";

/** The folders whose inside is private: those right below src/server, and for services those below src/server/services. */
export function folderOf(file) {
  const [, inside] = file.split(/(?:^|\/)src\/server\//);
  if (inside === undefined) return undefined;
  const [first, second, ...rest] = inside.split("/");
  if (first === "services" && rest.length > 0) return `services/${second}`;
  return second === undefined ? "" : first;
}

/** What is wrong with an import of `to` in `from` (both paths with slashes), or undefined. */
export function problemOf(from, to) {
  const own = folderOf(from);
  const other = folderOf(to);
  if (own === undefined || other === undefined || own === other) return undefined;
  if (own === "core")
    return "core is what the rest of the server is built on: it must not import other folders of src/server.";
  if (other === "core" || other === "" || path.posix.basename(to) === "index.ts") return undefined;
  return `src/server/${other} is reached only through its index.ts, so that its inside can change.`;
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
