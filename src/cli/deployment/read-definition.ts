// Reads one definition of a file: validates it against the schema and the rules of its kind.
import { compileSchema } from "../compile-schema.ts";
import type { FilePath, FileProblems } from "../file-problems.ts";
import { isMembers } from "../members.ts";
import { placeOfError, sentenceOfError } from "../schema-problem.ts";
import { plainValue } from "../written-scalar.ts";
import type { Definition, Kind } from "./kind.ts";

/** Reads the definition at a path of a file. Returns undefined if there are problems, which it adds. */
export function readDefinition<D extends Definition>(
  problems: Pick<FileProblems, "add">,
  kind: Kind<D>,
  id: string,
  path: FilePath,
  given: unknown,
): D | undefined {
  let isValid = true;
  const add = (at: FilePath, text: string): void => {
    isValid = false;
    problems.add([...path, ...at], `${id}: ${text}`);
  };
  const plain = plainValue(given, kind.schema, (at, text) => add(at, `${at.join(".")}: ${text}`));
  const validate = compileSchema<D>(kind.schema);
  const members = Object.keys(kind.schema.properties);
  const isDefinition = validate(plain);
  if (!isDefinition)
    for (const error of validate.errors ?? [])
      add(placeOfError(error), sentenceOfError(error, members, `the ${kind.noun}`));
  if (isMembers(plain)) for (const problem of kind.check(id, plain)) add(problem.path, problem.text);
  return isDefinition && isValid ? plain : undefined;
}
