// `taskyard index insert`.
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { expiresOption, parseExpiry } from "../parse-expiry.ts";
import { parseId } from "../parse-id.ts";
import { connectTarget } from "../target.ts";
import { parsePath } from "./parse-path.ts";

export const indexInsertCommand = command({
  name: "index insert",
  summary: "Insert a task at a path of the index.",
  details: ["An existing entry of a higher rank stays. The namespaces above the path are created."],
  args: [{ name: "PATH" }, { name: "TASK_ID" }],
  options: {
    rank: { type: "value", value: "N", summary: "Which entry wins: the higher rank. Default: 0." },
    expires: { ...expiresOption, summary: `${expiresOption.summary} Default: when the task expires.` },
    data: { type: "value", value: "JSON", summary: "A JSON object to keep with the entry. Default: {}." },
    json: jsonOption,
  },
  examples: [
    {
      command: "taskyard index insert project.release.latest ID --rank 7 --expires '1 year'",
      description: "Insert a task for a year, unless an entry of a rank above 7 exists.",
    },
  ],
  async run({ options, args, io }) {
    const now = Date.now();
    const namespace = parsePath(args[0]);
    const taskId = parseId(args[1]);
    const rank = parseRank(options.rank);
    const data = parseData(options.data);
    const until = options.expires === undefined ? undefined : parseExpiry(options.expires, now);
    const { index, queue } = await connectTarget(io);
    const expires = until ?? (await queue.task({ taskId })).expires ?? parseExpiry("1 year", now);
    const entry = await index.insertTask({ namespace }, { taskId, rank, data, expires });
    if (options.json) writeJson(io.stdout, entry);
    else if (entry.taskId === taskId) writeLine(io.stdout, `${namespace} is ${taskId}`);
    else
      writeLine(
        io.stdout,
        `${namespace} stays ${entry.taskId}, whose rank ${entry.rank} is higher than ${rank}`,
      );
    return exitStatus.ok;
  },
});

function parseRank(word = "0"): number {
  const rank = Number(word);
  if (word.trim() !== "" && Number.isFinite(rank)) return rank;
  throw new UsageError(`--rank ${word}: must be a number`);
}

function parseData(word = "{}"): object {
  try {
    const data: unknown = JSON.parse(word);
    if (typeof data === "object" && data !== null && !Array.isArray(data)) return data;
  } catch {
    // Reported below.
  }
  throw new UsageError(`--data ${word}: must be a JSON object such as {"version": 3}`);
}
