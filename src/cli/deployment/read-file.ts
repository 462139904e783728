// Reads one file of a deployment folder. docs/guides/deployment-as-code.md describes the format.
import { didYouMean } from "../../lib/did-you-mean.ts";
import { fileProblems, type FilePath, type FileProblems } from "../file-problems.ts";
import { isMembers, type Members } from "../members.ts";
import type { Yaml } from "../parse-yaml.ts";
import { textOf } from "../written-scalar.ts";
import type { Definition, Kind } from "./kind.ts";
import { kinds } from "./kinds.ts";
import { patternProblem } from "./managed.ts";
import { readDefinition } from "./read-definition.ts";

/** A definition in a file. */
export interface Entry {
  readonly kind: Kind;
  readonly id: string;
  readonly definition: Definition;
  readonly problems: FileProblems;
  /** Its place in the file. */
  readonly path: FilePath;
}

export interface ManagedPattern {
  readonly kind: Kind;
  readonly pattern: string;
}

export interface DeploymentFile {
  readonly entries: readonly Entry[];
  readonly managed: readonly ManagedPattern[];
  readonly problems: FileProblems;
}

const kindNames = kinds.map(({ name }) => name);

/** Reads a parsed file. Its problems are collected, and its valid entries are returned. */
export function readDeploymentFile({ value, document, lines }: Yaml, file: string): DeploymentFile {
  const problems = fileProblems(file, document, lines);
  const entries: Entry[] = [];
  const managed: ManagedPattern[] = [];
  // A file may be empty, or contain only comments.
  if (document.contents === null) return { entries, managed, problems };
  if (!isMembers(value)) {
    problems.add([], `a file must be an object with members ${[...kindNames, "managed"].join(", ")}`);
    return { entries, managed, problems };
  }
  checkMembers(problems, [], value, [...kindNames, "managed"]);
  for (const kind of kinds) {
    const section = value[kind.name];
    if (section === undefined) continue;
    if (isMembers(section)) entries.push(...readSection(problems, kind, section));
    else problems.add([kind.name], `${kind.name} must be an object with definitions by id`);
  }
  if (value["managed"] !== undefined) managed.push(...readManaged(problems, value["managed"]));
  return { entries, managed, problems };
}

function readSection(problems: FileProblems, kind: Kind, section: Members): Entry[] {
  return Object.entries(section).flatMap(([id, given]) => {
    const path = [kind.name, id] as const;
    if (!kind.id.test(id)) {
      problems.add(path, `${JSON.stringify(id)}: the id of a ${kind.noun} must be ${kind.idRule}`);
      return [];
    }
    if (kind.isReserved?.(id) === true) {
      problems.add(
        path,
        `${id}: such a ${kind.noun} belongs to the configuration of the server; change it there`,
      );
      return [];
    }
    const definition = readDefinition(problems, kind, id, path, given);
    return definition === undefined ? [] : [{ kind, id, definition, problems, path }];
  });
}

function readManaged(problems: FileProblems, managed: unknown): ManagedPattern[] {
  if (!isMembers(managed)) {
    problems.add(["managed"], `managed must be an object with lists of ids: ${kindNames.join(", ")}`);
    return [];
  }
  checkMembers(problems, ["managed"], managed, kindNames);
  return kinds.flatMap((kind) => {
    const patterns = managed[kind.name];
    if (patterns === undefined) return [];
    if (!Array.isArray(patterns)) {
      problems.add(["managed", kind.name], `managed.${kind.name} must be a list of ids, which may end in *`);
      return [];
    }
    return patterns.flatMap((given: unknown, i) => {
      const pattern = textOf(given);
      const problem =
        pattern === undefined ? "a pattern must be an id, which may end in *" : patternProblem(pattern);
      if (problem !== undefined) problems.add(["managed", kind.name, i], problem);
      return pattern === undefined || problem !== undefined ? [] : [{ kind, pattern }];
    });
  });
}

function checkMembers(problems: FileProblems, path: FilePath, of: Members, known: readonly string[]): void {
  for (const name of Object.keys(of)) {
    if (known.includes(name)) continue;
    const meant = didYouMean(name, known);
    const hint = meant === undefined ? `known members: ${known.join(", ")}` : `did you mean ${meant}?`;
    problems.add([...path, name], `${name} is not a known member here; ${hint}`);
  }
}
