// Lists the generators of all committed generated files. `npm run generate` writes the files; `--check` (part of
// `npm run check`) fails if one of them is out of date.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { referencePages } from "./generated-docs.ts";
import type { GeneratedFile } from "./generated-file.ts";
import { schemaFile } from "./generated-schema.ts";

const generators: readonly (() => Promise<GeneratedFile[]>)[] = [schemaFile, referencePages];

const root = path.dirname(import.meta.dirname);

async function main(args: readonly string[]): Promise<number> {
  const check = args.includes("--check");
  const files = (await Promise.all(generators.map((generate) => generate()))).flat();
  const stale: string[] = [];
  for (const file of files) {
    const target = path.join(root, file.path);
    const current = await readFile(target, "utf8").catch(() => undefined);
    if (current === file.text) continue;
    stale.push(file.path);
    if (check) continue;
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, file.text);
  }
  if (!check) {
    console.log(stale.length === 0 ? "everything was up to date" : `wrote ${stale.join(", ")}`);
    return 0;
  }
  if (stale.length === 0) return 0;
  console.error(`out of date: ${stale.join(", ")}\nRun \`npm run generate\` and commit the result.`);
  return 1;
}

process.exitCode = await main(process.argv.slice(2));
