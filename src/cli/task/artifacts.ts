// `taskyard task artifacts`.
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption, runOption } from "../command.ts";
import { byteSize, localTime } from "../format.ts";
import { writeJson, writeLine, writeLines } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { formatTable } from "../table.ts";
import { connectTarget } from "../target.ts";
import { listArtifacts, parseRunId } from "./artifact-access.ts";

export const artifactsCommand = command({
  name: "task artifacts",
  summary: "List the artifacts of a task.",
  args: [{ name: "TASK_ID" }],
  options: { run: runOption, json: jsonOption },
  examples: [
    { command: "taskyard task artifacts ID", description: "Show names, sizes, types and expiry times." },
  ],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const artifacts = await listArtifacts(await connectTarget(io), taskId, parseRunId(options.run));
    if (options.json) {
      writeJson(io.stdout, { artifacts });
      return exitStatus.ok;
    }
    const rows = artifacts.map(({ name, storageType, contentType, contentLength, expires }) => [
      name,
      storageType,
      contentLength === undefined ? "-" : byteSize(contentLength),
      contentType,
      localTime(expires),
    ]);
    if (rows.length === 0) writeLine(io.stderr, `${taskId} has no artifacts`);
    else writeLines(io.stdout, formatTable(["NAME", "STORAGE", "SIZE", "TYPE", "EXPIRES"], rows));
    return exitStatus.ok;
  },
});
