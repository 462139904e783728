// Every file that is generated and committed, and how: `npm run generate` writes them, `--check` (in `npm run
// check`) fails where one is not what would be written.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { referencePages } from "./generated-docs.ts";
import { schemaFile } from "./generated-schema.ts";

/** A file of the repository, by its path from the root, and what it must contain. */
export interface GeneratedFile {
  path: string;
  text: string;
}

/** Makes files; each subject has one, and each is listed here. */
export type Generator = () => Promise<GeneratedFile[]>;

const generators: readonly Generator[] = [schemaFile, referencePages];

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
    console.log(stale.length === 0 ? "nothing has changed" : `written: ${stale.join(", ")}`);
    return 0;
  }
  if (stale.length === 0) return 0;
  console.error(`not up to date: ${stale.join(", ")}\nRun \`npm run generate\` and commit what it writes.`);
  return 1;
}

process.exitCode = await main(process.argv.slice(2));
