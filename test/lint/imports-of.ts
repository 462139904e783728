// Finds what a file of the sources imports.
import { build } from "esbuild";

/**
 * Returns the files and packages that a file imports, directly or not. Types do not count. `loads` reports whether the imports
 * on demand of a file count.
 */
export async function importsOf(entry: string, loads: (file: string) => boolean): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    outdir: "dist",
    splitting: true,
    packages: "external",
  });
  // A set includes what is added during the iteration.
  const found = new Set([entry]);
  for (const file of found)
    for (const { path, kind } of metafile.inputs[file]?.imports ?? [])
      if (kind !== "dynamic-import" || loads(file)) found.add(path);
  return [...found];
}
