// `taskyard export`: writes the clients, roles and worker pools of any deployment as a folder for `taskyard apply`.
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeFolder } from "../../lib/make-folder.ts";
import { codeOf } from "../../lib/error-code.ts";
import { counted } from "../../lib/counted.ts";
import { usingFolder } from "../../lib/using-folder.ts";
import type { Client } from "../../client/connect.ts";
import { CliError, exitStatus, UsageError } from "../cli-error.ts";
import { command } from "../command.ts";
import { writeLine, type Io } from "../io.ts";
import { explainRefusedList, exportTarget } from "./export-target.ts";
import type { Definition, Kind } from "./kind.ts";

const header = "# Written by taskyard export, which replaces this file.\n";

export const exportCommand = command({
  name: "export",
  summary: "Write the clients, roles and worker pools of a deployment as a folder for apply.",
  details: [
    "Reads any deployment through the API that Taskyard and Taskcluster have in common, and writes one file for each kind. Without " +
      "DIR, prints them. The order and the format are always the same, so exports of different days can be compared.",
    "Uses the credentials TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN if TASKCLUSTER_ROOT_URL is the deployment or not set, " +
      "and otherwise none. Access tokens and secrets are not exported: no method returns them. Clients below static/, which belong to the " +
      "configuration of a deployment, and deleted pools are left out.",
  ],
  args: [{ name: "DIR", optional: true }],
  options: {
    from: {
      type: "value",
      value: "ROOT_URL",
      summary: "The deployment. Default: the server that other commands use.",
    },
    kind: {
      type: "value",
      value: "KIND",
      multiple: true,
      summary: "Only this kind, such as roles. May be repeated.",
    },
  },
  examples: [
    {
      command: "taskyard export --from https://taskcluster.example.com deployment",
      description: "Write a folder from another deployment.",
    },
    { command: "taskyard export --kind roles", description: "Print the roles of the current server." },
  ],
  async run({ options, args, io }) {
    // Imported here: YAML takes longer to load than most commands run.
    const { kinds } = await import("./kinds.ts");
    const { formatDefinitions } = await import("./format-definitions.ts");
    const names = kinds.map(({ name }) => name);
    const unknown = options.kind.find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw new UsageError(`--kind ${unknown} is unknown: use one of ${names.join(", ")}`);
    const chosen = kinds.filter(({ name }) => options.kind.length === 0 || options.kind.includes(name));
    const client = await exportTarget(options.from, io);
    // All of them before the first is written, so that a failure leaves no partial export.
    const files: { readonly kind: Kind; readonly count: number; readonly text: string }[] = [];
    for (const kind of chosen) {
      const definitions = await definitionsOf(kind, client);
      files.push({ kind, count: definitions.size, text: formatDefinitions(kind, definitions) });
    }
    const [folder] = args;
    if (folder === undefined) for (const { text } of files) io.stdout.write(text);
    else
      for (const { kind, count, text } of files) {
        const name = join(folder, `${kind.name}.yml`);
        await write(folder, name, text, io);
        writeLine(io.stdout, `${name}: ${counted(count, kind.noun)}`);
      }
    return exitStatus.ok;
  },
});

async function definitionsOf(kind: Kind, client: Client): Promise<Map<string, Definition>> {
  const found = await kind.list(client).catch((error: unknown) => {
    throw explainRefusedList(error, kind.name, client);
  });
  return new Map(
    [...found].flatMap(([id, { definition }]) =>
      kind.isReserved?.(id) === true ? [] : [[id, definition] as const],
    ),
  );
}

async function write(folder: string, name: string, text: string, io: Io): Promise<void> {
  const path = resolve(io.cwd, folder);
  const file = resolve(io.cwd, name);
  await usingFolder({ path, what: "the folder", choice: "name another one" }, async () => {
    await makeFolder(path);
    const before = await readFile(file, "utf8").catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return header;
      throw error;
    });
    if (!before.startsWith(header))
      throw new CliError(`${name} was not written by taskyard export: move it, or name another folder`);
    await writeFile(file, header + text);
  });
}
