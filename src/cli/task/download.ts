// `taskyard task download`.
import { createWriteStream } from "node:fs";
import { access, rename, rm } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Client } from "../../client/connect.ts";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { causeOf, CliError, exitStatus } from "../cli-error.ts";
import { command, runOption } from "../command.ts";
import { byteSize } from "../format.ts";
import { writeLine, type Io } from "../io.ts";
import { parseId } from "../parse-id.ts";
import { startSpinner } from "../spinner.ts";
import { connectTarget } from "../target.ts";
import { findArtifact, listArtifacts, parseRunId } from "./artifact-access.ts";

export const downloadCommand = command({
  name: "task download",
  summary: "Download an artifact of a task.",
  details: ["Writes to FILE.part and renames it when the download is complete."],
  args: [{ name: "TASK_ID" }, { name: "NAME" }, { name: "FILE|-", optional: true }],
  options: {
    run: runOption,
    force: { type: "flag", summary: "Replace an existing file." },
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
  ],
  async run({ options, args, io }) {
    const [, name = "", file = basename(name)] = args;
    const taskId = parseId(args[0]);
    const runId = parseRunId(options.run);
    const client = await connectTarget(io);
    const source = await findArtifact(client, taskId, runId, name);
    // oxlint-disable-next-line messages/next-step -- notFound names it
    if (source === undefined) throw new CliError(await notFound(client, taskId, runId, name));
    const response = await fetch(source.url).catch((error: unknown) => {
      throw new CliError(
        `cannot download ${name}: ${causeOf(error)}. Check that this machine reaches the artifact store, and try again.`,
        { cause: error },
      );
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new CliError(
        `cannot download ${name}: the artifact store returned ${response.status} ${response.statusText}. Try again later, or rerun the task if the content is lost.`,
      );
    }
    const body = Readable.fromWeb(response.body);
    if (file === "-") await pipeline(body, io.stdout, { end: false });
    else await save(body, resolve(io.cwd, file), options.force, io);
    return exitStatus.ok;
  },
});

async function save(body: Readable, path: string, force: boolean, io: Io): Promise<void> {
  const part = `${path}.part`;
  const spinner = startSpinner(io, "downloading");
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      spinner.update(`downloading ${byteSize(bytes)}`);
      done(null, chunk);
    },
  });
  try {
    if (!force && (await exists(path)))
      throw new CliError(`${path} already exists: use --force to replace it`);
    await pipeline(body, count, createWriteStream(part));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    body.destroy();
    spinner.stop();
  }
  writeLine(io.stderr, `${path} (${byteSize(bytes)})`);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
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
  const meant = didYouMean(name, names);
  const hint =
    meant === undefined ? `\`taskyard task artifacts ${taskId}\` lists them` : `did you mean ${meant}?`;
  return `${taskId} has no artifact ${name}; ${hint}`;
}
