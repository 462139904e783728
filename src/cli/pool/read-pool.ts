// Reads the definition of a worker pool from a file.
import { workerPoolFile, type PoolRequest } from "../../api/worker-manager/pools.ts";
import { InternalError } from "../../lib/internal-error.ts";
import { CliError } from "../cli-error.ts";
import { poolKind, poolRequest } from "../deployment/kinds/pools.ts";
import { readDefinition } from "../deployment/read-definition.ts";
import { fileProblems } from "../file-problems.ts";
import type { Io } from "../io.ts";
import { isMembers } from "../members.ts";
import { parseYaml } from "../parse-yaml.ts";
import { readText } from "../read-text.ts";
import { textOf } from "../written-scalar.ts";

const settable = Object.keys(poolKind.schema.properties);
/** What a pool has beside its definition. */
const readOnly = Object.keys(workerPoolFile.schema.properties).filter((name) => !settable.includes(name));

/** Returns the definition, also that in a reply of the API. Throws a `CliError` that lists every problem with its position. */
export async function readPool(workerPoolId: string, file: string, io: Io): Promise<PoolRequest> {
  const { value, document, lines } = parseYaml(await readText(file, io), file);
  if (!isMembers(value))
    throw new CliError(`${file}: must contain an object with members ${settable.join(", ")}`);
  const problems = fileProblems(file, document, lines);
  const named = value["workerPoolId"];
  if (named !== undefined && textOf(named) !== workerPoolId)
    problems.add(
      ["workerPoolId"],
      `workerPoolId must be ${workerPoolId}, as on the command line; correct one of them`,
    );
  const given = Object.fromEntries(Object.entries(value).filter(([name]) => !readOnly.includes(name)));
  const definition = readDefinition(problems, poolKind, workerPoolId, [], given);
  problems.throwIfAny();
  if (definition === undefined) throw new InternalError("a definition that is not valid has no problems");
  return poolRequest(definition);
}
