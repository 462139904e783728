// `taskyard task create`.
import { basename } from "node:path";
import { isSlugid, slugid } from "../../lib/slugid.ts";
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { readText } from "../read-text.ts";
import { connectTarget } from "../target.ts";

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
      summary: "Id of the new task. Makes it safe to repeat the command. Default: a new id.",
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
    const { value } = parseYaml(await readText(file, io), file === "-" ? "definition" : basename(file));
    const { definition, defaults } = readDefinition(value, Date.now());
    const client = await connectTarget(io);
    const { status } = await client.queue.createTask({ taskId }, definition);
    for (const text of defaults) writeLine(io.stderr, text);
    if (options.json) writeJson(io.stdout, status);
    else writeLine(io.stdout, taskId);
    return exitStatus.ok;
  },
});
