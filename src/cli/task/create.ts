// `taskyard task create`: a task from a definition in a file.
import { basename } from "node:path";
import { isSlugid, slugid } from "../../lib/slugid.ts";
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeLine, writeJson } from "../io.ts";
import { readText } from "../read-text.ts";
import { connectTarget } from "../target.ts";

export const createCommand = command({
  name: "task create",
  summary: "Create a task from a definition in YAML or JSON.",
  details: [
    "The definition is checked before it is sent, and every mistake is told with its place. `created` may be left out and " +
      "is then now; `deadline` may be left out and is then a day later. Both, and `expires`, may be relative to now: " +
      '`2 hours`, `1 day 12 hours`, or `{$fromNow: "1 day"}`.',
    "Prints the id of the task.",
  ],
  args: [{ name: "FILE|-" }],
  options: {
    "task-id": {
      type: "value",
      value: "ID",
      summary: "The id of the new task, so that a repeat makes no second one. Default: a new id.",
    },
    json: jsonOption,
  },
  examples: [
    { command: "taskyard task create task.yml", says: "Create it and print its id." },
    {
      command: 'taskyard task log -f "$(taskyard task create task.yml)"',
      says: "Create it and follow its log.",
    },
    {
      command: "jq .task job.json | taskyard task create -",
      says: "Read the definition from another program.",
    },
  ],
  async run({ options, args, io }) {
    const taskId = options["task-id"] ?? slugid();
    if (!isSlugid(taskId)) throw new UsageError(`--task-id ${taskId} is not a slugid, such as ${slugid()}`);
    const [file = "-"] = args;
    // Loaded here, since checker and parser take longer to load than most commands run.
    const { readDefinition } = await import("./read-definition.ts");
    const { parseYaml } = await import("../parse-yaml.ts");
    const { value } = parseYaml(await readText(file, io), file === "-" ? "definition" : basename(file));
    const { definition, filledIn } = readDefinition(value, Date.now());
    const client = await connectTarget(io);
    const { status } = await client.queue.createTask({ taskId }, definition);
    for (const remark of filledIn) writeLine(io.stderr, remark);
    if (options.json) writeJson(io.stdout, status);
    else writeLine(io.stdout, taskId);
    return exitStatus.ok;
  },
});
