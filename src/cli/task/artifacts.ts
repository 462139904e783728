// `taskyard task artifacts`.
import { exitStatus } from "../cli-error.ts";
import { byteSize, localTime } from "../format.ts";
import { command, jsonOption, runOption } from "../command.ts";
import { writeJson, writeLine, writeLines } from "../io.ts";
import { connectTarget } from "../target.ts";
import { parseId } from "../parse-id.ts";
import { listArtifacts, runIdOf } from "./artifact-access.ts";
import { formatTable } from "../table.ts";

export const artifactsCommand = command({
  name: "task artifacts",
  summary: "List what a task left behind.",
  args: [{ name: "TASK_ID" }],
  options: { run: runOption, json: jsonOption },
  examples: [{ command: "taskyard task artifacts ID", says: "Names, types and how long they are kept." }],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const artifacts = await listArtifacts(await connectTarget(io), taskId, runIdOf(options.run));
    if (options.json) {
      writeJson(io.stdout, artifacts);
      return exitStatus.ok;
    }
    const rows = artifacts.map(({ name, storageType, contentType, contentLength, expires }) => [
      name,
      storageType,
      contentLength === undefined ? "-" : byteSize(contentLength),
      contentType,
      localTime(expires),
    ]);
    if (rows.length === 0) writeLine(io.stderr, "no artifacts");
    else writeLines(io.stdout, formatTable(["NAME", "STORAGE", "SIZE", "TYPE", "EXPIRES"], rows));
    return exitStatus.ok;
  },
});
