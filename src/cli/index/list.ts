// `taskyard index list`.
import { exitStatus } from "../cli-error.ts";
import { command } from "../command.ts";
import { localTime } from "../format.ts";
import { writeJson, writeLine } from "../io.ts";
import { limitOf, moreNote, pageOptions } from "../page-options.ts";
import { firstElements } from "../paginate.ts";
import { writeTable } from "../table.ts";
import { connectTarget } from "../target.ts";
import { entryHeader, entryRow } from "./entry-table.ts";
import { parsePath } from "./parse-path.ts";

export const indexListCommand = command({
  name: "index list",
  summary: "List the namespaces and tasks in a namespace of the index.",
  details: [
    "Lists what is directly in the namespace, or at the top level without one. Namespaces end with a dot.",
  ],
  args: [{ name: "NAMESPACE", optional: true }],
  options: pageOptions,
  examples: [
    { command: "taskyard index list", description: "Show the top level." },
    { command: "taskyard index list project.nightly", description: "Show what is in a namespace." },
  ],
  async run({ options, args, io }) {
    const namespace = args[0] === undefined ? "" : parsePath(args[0].replace(/\.$/, ""));
    const limit = limitOf(options);
    const { index } = await connectTarget(io);
    const { found: namespaces, goesOn } = await firstElements(
      limit,
      (query) => index.listNamespaces({ namespace }, { query }),
      (page) => page.namespaces,
    );
    // One task more than fits shows whether there are more.
    const tasks = await firstElements(
      Math.max(limit - namespaces.length, 1),
      (query) => index.listTasks({ namespace }, { query }),
      (page) => page.tasks,
    );
    const shown = tasks.found.slice(0, limit - namespaces.length);
    if (options.json) {
      writeJson(io.stdout, { namespaces, tasks: shown });
      return exitStatus.ok;
    }
    const rows = [
      ...namespaces.map((row) => ["-", "-", localTime(row.expires), `${row.namespace}.`]),
      ...shown.map(entryRow),
    ];
    if (rows.length > 0) writeTable(io.stdout, entryHeader, rows);
    else writeLine(io.stderr, namespace === "" ? "the index is empty" : `nothing is in ${namespace}`);
    if (goesOn || tasks.goesOn || shown.length < tasks.found.length) writeLine(io.stderr, moreNote);
    return exitStatus.ok;
  },
});
