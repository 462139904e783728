// Reads all files of a deployment folder, and reports the problems of all of them together.
import { readdir } from "node:fs/promises";
import { join, resolve, sep } from "node:path";
import { CliError, listProblems, messageOf } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { parseYaml } from "../parse-yaml.ts";
import { readText } from "../read-text.ts";
import type { Kind } from "./kind.ts";
import { readDeploymentFile, type DeploymentFile, type Entry } from "./read-file.ts";
import { matchesPattern } from "./managed.ts";

export interface Deployment {
  readonly entries: readonly Entry[];
  /** Reports whether the folder owns what has this id. */
  owns(kind: Kind, id: string): boolean;
  /** Reports whether the folder has anything of a kind, or owns any. */
  concerns(kind: Kind): boolean;
  /** Throws a `CliError` that lists the problems that were added to the entries since, if there are any. */
  throwIfAny(): void;
}

const MAX_FILES = 10_000;

/** Reads the folder. Throws a `CliError` that lists every problem with its file and line. */
export async function readDeployment(folder: string, io: Io): Promise<Deployment> {
  const names = await filesIn(folder, io);
  const checks: (() => void)[] = [];
  const files: DeploymentFile[] = [];
  for (const name of names) {
    const text = await readText(name, io);
    try {
      const file = readDeploymentFile(parseYaml(text, name), name);
      files.push(file);
      checks.push(file.problems.throwIfAny);
    } catch (error) {
      checks.push(() => {
        throw error;
      });
    }
  }
  const entries = files.flatMap((file) => file.entries);
  const managed = files.flatMap((file) => file.managed);
  reportDuplicates(entries);
  throwProblems(checks);
  return {
    entries,
    owns: (kind, id) =>
      kind.isReserved?.(id) !== true &&
      managed.some((one) => one.kind === kind && matchesPattern(one.pattern, id)),
    concerns: (kind) => [...entries, ...managed].some((one) => one.kind === kind),
    throwIfAny: () => throwProblems(checks),
  };
}

async function filesIn(folder: string, io: Io): Promise<string[]> {
  const root = resolve(io.cwd, folder);
  const found = await readdir(root, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw new CliError(
      `the folder ${folder} cannot be read: ${messageOf(error)}; choose a folder with YAML files`,
      { cause: error },
    );
  });
  const names = found
    .filter((entry) => !entry.isDirectory() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    // Hidden folders belong to other programs, such as version control.
    .filter((name) => !name.split(sep).some((part) => part.startsWith(".")))
    .sort();
  if (names.length === 0)
    throw new CliError(`the folder ${folder} has no files *.yml or *.yaml: choose a folder with definitions`);
  if (names.length > MAX_FILES)
    throw new CliError(
      `the folder ${folder} has more than ${MAX_FILES} files: choose the folder with the definitions`,
    );
  return names.map((name) => join(folder, name));
}

function reportDuplicates(entries: readonly Entry[]): void {
  const first = new Map<string, Entry>();
  for (const entry of entries) {
    const key = `${entry.kind.name} ${entry.id}`;
    const other = first.get(key);
    if (other === undefined) first.set(key, entry);
    else
      entry.problems.add(
        entry.path,
        `the ${entry.kind.noun} ${entry.id} is defined at ${other.problems.positionOf(other.path)} already; remove one`,
      );
  }
}

function throwProblems(checks: readonly (() => void)[]): void {
  const problems = checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      return error.message.split("\n");
    }
  });
  // oxlint-disable-next-line messages/next-step -- each problem states what would be right
  if (problems.length > 0) throw new CliError(listProblems(problems));
}
