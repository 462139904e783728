// `taskyard task create`.
import { basename } from "node:path";
import type { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { ClientError } from "../../client/client-error.ts";
import type { Client } from "../../client/connect.ts";
import { isSlugid, slugid } from "../../lib/slugid.ts";
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { readText } from "../read-text.ts";
import { connectTarget } from "../target.ts";
import type { ReadDefinition } from "./read-definition.ts";

export const createCommand = command({
  name: "task create",
  summary: "Create a task from a definition in YAML or JSON.",
  details: [
    "Checks the definition before sending it, and reports all problems. `created` defaults to now and `deadline` to one day " +
      "later. `created`, `deadline` and `expires` may be relative to now: `2 hours`, `1 day 12 hours`, or " +
      '`{$fromNow: "1 day"}`.',
    "Prints the id of the task.",
  ],
  args: [{ name: "FILE|-" }],
  options: {
    "task-id": {
      type: "value",
      value: "ID",
      summary: "Id of the new task. A repeat with the same file creates no second task. Default: a new id.",
    },
    json: jsonOption,
  },
  examples: [
    { command: "taskyard task create task.yml", description: "Create a task and print its id." },
    {
      command: 'taskyard task log -f "$(taskyard task create task.yml)"',
      description: "Create a task and follow its log.",
    },
    {
      command: "jq .task job.json | taskyard task create -",
      description: "Read the definition from standard input.",
    },
  ],
  async run({ options, args, io }) {
    const taskId = options["task-id"] ?? slugid();
    if (!isSlugid(taskId)) throw new UsageError(`--task-id ${taskId}: must be a slugid, such as ${slugid()}`);
    const [file = "-"] = args;
    // Imported here: validator and parser take longer to load than most commands run.
    const { readDefinition } = await import("./read-definition.ts");
    const { parseYaml } = await import("../parse-yaml.ts");
    const name = file === "-" ? "definition" : basename(file);
    const parsed = parseYaml(await readText(file, io), name);
    const definitionAt = (now: number): ReadDefinition => readDefinition(parsed, name, now);
    const now = Date.now();
    const { defaults } = definitionAt(now);
    const client = await connectTarget(io);
    const { status } = await createOnce(client, taskId, now, (at) => definitionAt(at).definition);
    for (const text of defaults) writeLine(io.stderr, text);
    if (options.json) writeJson(io.stdout, status);
    else writeLine(io.stdout, taskId);
    return exitStatus.ok;
  },
});

/**
 * Creates the task. If it exists already, compares it with a definition whose relative times are relative to when it was
 * created: the queue accepts a repeat only if all members are equal.
 */
async function createOnce(
  { queue }: Client,
  taskId: string,
  now: number,
  definitionAt: (now: number) => TaskDefinitionRequest,
) {
  const definition = definitionAt(now);
  try {
    return await queue.createTask({ taskId }, definition);
  } catch (error) {
    if (!(error instanceof ClientError) || error.statusCode !== 409) throw error;
    const later = definitionAt(now + 1000);
    const relative = (["created", "deadline", "expires"] as const).find(
      (name) => definition[name] !== later[name],
    );
    const existing = await queue.task({ taskId }).catch(() => undefined);
    const [wanted, is] = relative ? [definition[relative], existing?.[relative]] : [];
    if (wanted === undefined || is === undefined) throw error;
    return queue.createTask({ taskId }, definitionAt(now + Date.parse(is) - Date.parse(wanted)));
  }
}
