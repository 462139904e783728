// Reads an object from a YAML or JSON file as it would be sent.
import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { isMembers, type Members } from "../members.ts";
import { readText } from "../read-text.ts";
import { resolveFromNow } from "../task/relative-time.ts";
import { plainValue } from "../written-scalar.ts";

/**
 * Returns the object in a file, or in standard input for `-`. `{$fromNow: 1 day}` becomes a time. The schema decides where
 * `3.10` is text.
 */
export async function readObject(file: string, io: Io, schema: object | undefined): Promise<Members> {
  const { parseYaml } = await import("../parse-yaml.ts");
  const fail = (path: readonly (string | number)[], text: string): never => {
    // oxlint-disable-next-line messages/next-step -- the text says what would be right
    throw new CliError(`${file}: ${path.join(".")}: ${text}`);
  };
  const value = plainValue(parseYaml(await readText(file, io), file).value, schema, fail);
  const resolved = resolveFromNow(value, Date.now(), fail);
  if (!isMembers(resolved)) throw new CliError(`${file}: must contain an object with members`);
  return resolved;
}
