// Index paths: parts separated by dots, such as `project.nightly.linux`.

/** Where an entry or a namespace is: its name, and the path of the namespace that contains it, which may be empty. */
export interface Place {
  readonly namespace: string;
  readonly name: string;
}

/** Splits a path at its last dot. */
export function placeOf(path: string): Place {
  const dot = path.lastIndexOf(".");
  return { namespace: path.slice(0, Math.max(dot, 0)), name: path.slice(dot + 1) };
}

export const pathOf = ({ namespace, name }: Place): string =>
  namespace === "" ? name : `${namespace}.${name}`;

/** Returns the paths of all namespaces that contain a path, from the top level down. */
export function namespacesAbove(path: string): string[] {
  const paths: string[] = [];
  for (let dot = path.indexOf("."); dot >= 0; dot = path.indexOf(".", dot + 1))
    paths.push(path.slice(0, dot));
  return paths;
}
