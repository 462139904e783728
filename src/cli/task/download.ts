// `taskyard task download`.
import { basename, resolve, sep } from "node:path";
import type { OnProgress } from "../../client/artifacts/progress.ts";
import { ClientError } from "../../client/client-error.ts";
import type { Client } from "../../client/connect.ts";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { CliError, exitStatus, UsageError } from "../cli-error.ts";
import { command, runOption } from "../command.ts";
import { explainError } from "../explain-error.ts";
import { writeLine, type Io } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { connectTarget } from "../target.ts";
import { listArtifacts, parseRunId } from "./artifact-access.ts";
import { saveArtifact } from "./save-artifact.ts";

export const downloadCommand = command({
  name: "task download",
  summary: "Download artifacts of a task.",
  details: [
    "With a NAME that ends with /, downloads all artifacts below it, and with --all every artifact, each to a file of its name. " +
      "Writes to FILE.part and renames it when the download is complete.",
  ],
  args: [
    { name: "TASK_ID" },
    { name: "NAME|FOLDER/", optional: true },
    { name: "FILE|FOLDER|-", optional: true },
  ],
  options: {
    all: { type: "flag", summary: "Download all artifacts to a folder. Default: the current one." },
    run: runOption,
    force: { type: "flag", summary: "Replace existing files." },
  },
  examples: [
    {
      command: "taskyard task download ID public/build.tar.gz",
      description: "Download to build.tar.gz in the current folder.",
    },
    {
      command: "taskyard task download ID public/report.json - | jq .",
      description: "Download to standard output.",
    },
    { command: "taskyard task download --all ID results", description: "Download everything to a folder." },
    {
      command: "taskyard task download ID public/logs/",
      description: "Download the logs to the current folder.",
    },
  ],
  async run({ options, args, io }) {
    const taskId = parseId(args[0]);
    const runId = parseRunId(options.run);
    const [, name, file] = args;
    if (!options.all && name === undefined)
      throw new UsageError(
        "task download needs NAME: `taskyard task artifacts ID` lists them, --all takes all",
      );
    const client = await connectTarget(io);
    const of = { client, taskId, runId, force: options.force, io };
    if (options.all) return downloadBelow(of, "", name ?? ".");
    if (name?.endsWith("/")) return downloadBelow(of, name, file ?? ".");
    await downloadOne(of, name ?? "", file ?? basename(name ?? ""));
    return exitStatus.ok;
  },
});

interface Download {
  readonly client: Client;
  readonly taskId: string;
  readonly runId: number | undefined;
  readonly force: boolean;
  readonly io: Io;
}

async function downloadOne({ client, taskId, runId, force, io }: Download, name: string, file: string) {
  const open = (onProgress: OnProgress) => client.artifacts.download({ taskId, runId, name, onProgress });
  try {
    await saveArtifact({ name, file, force, io, open });
  } catch (error) {
    if (!(error instanceof ClientError) || error.statusCode !== 404) throw error;
    // oxlint-disable-next-line messages/next-step -- notFound names it
    throw new CliError(await notFound(client, taskId, runId, name));
  }
}

/** Downloads all artifacts whose name begins with `prefix`. Continues after failures, and returns the exit status. */
async function downloadBelow(of: Download, prefix: string, to: string): Promise<number> {
  const { client, taskId, runId, io } = of;
  const folder = resolve(io.cwd, to);
  const all = (await listArtifacts(client, taskId, runId)).map(({ name }) => name);
  const names = all.filter((name) => name.startsWith(prefix));
  // oxlint-disable-next-line messages/next-step -- notFound names it
  if (names.length === 0) throw new CliError(await notFound(client, taskId, runId, prefix));
  let status: number = exitStatus.ok;
  for (const name of names) {
    const path = resolve(folder, name.slice(prefix.length));
    try {
      // Names come from tasks, and may contain `..`.
      if (!path.startsWith(folder.endsWith(sep) ? folder : folder + sep))
        throw new CliError(`${name} leads outside of ${folder}: download it alone, with the name of a file`);
      await downloadOne(of, name, path);
    } catch (error) {
      writeLine(io.stderr, `error: ${explainError(error, io)}`);
      status = exitStatus.failure;
    }
  }
  return status;
}

async function notFound(
  client: Client,
  taskId: string,
  runId: number | undefined,
  name: string,
): Promise<string> {
  const names = (await listArtifacts(client, taskId, runId)).map((artifact) => artifact.name);
  if (names.length === 0)
    return `${taskId} has no artifacts: wait until it has run, or see its log with \`taskyard task log ${taskId}\``;
  if (names.some((other) => other.startsWith(`${name}/`)))
    return `${taskId} has no artifact ${name}, but a folder of that name: \`taskyard task download ${taskId} ${name}/\` downloads it`;
  const meant = didYouMean(name, names);
  const hint =
    meant === undefined ? `\`taskyard task artifacts ${taskId}\` lists them` : `did you mean ${meant}?`;
  return `${taskId} has no artifact ${name}; ${hint}`;
}
