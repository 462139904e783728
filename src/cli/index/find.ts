// `taskyard index find`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { paginate } from "../paginate.ts";
import { writeTable } from "../table.ts";
import { connectTarget } from "../target.ts";
import { entryHeader, entryRow } from "./entry-table.ts";
import { parsePath } from "./parse-path.ts";

export const indexFindCommand = command({
  name: "index find",
  summary: "Find the tasks at one or several index paths.",
  details: [
    "Fails if nothing is indexed at the path. Of several paths it lists those that exist; at the top level, where paths have no dot, " +
      "tasks are only found one at a time.",
  ],
  args: [{ name: "PATH", many: true }],
  options: { json: jsonOption },
  examples: [
    { command: "taskyard index find project.nightly.linux", description: "Show the task at a path." },
    {
      command: "taskyard index find project.nightly.linux --json | jq -r .taskId",
      description: "Print the id of the task.",
    },
  ],
  async run({ options, args, io }) {
    const [first = "", ...others] = args.map(parsePath);
    const { index } = await connectTarget(io);
    if (others.length === 0) {
      const entry = await index.findTask({ indexPath: first });
      if (options.json) writeJson(io.stdout, entry);
      else writeTable(io.stdout, entryHeader, [entryRow(entry)]);
      return exitStatus.ok;
    }
    const tasks = [];
    const pages = paginate((query) => index.findTasksAtIndex({ indexes: [first, ...others] }, { query }));
    for await (const page of pages) tasks.push(...page.tasks);
    if (options.json) writeJson(io.stdout, { tasks });
    else if (tasks.length === 0) writeLine(io.stderr, "nothing is indexed at these paths");
    else writeTable(io.stdout, entryHeader, tasks.map(entryRow));
    return exitStatus.ok;
  },
});
