// `taskyard task download`.
import { createWriteStream } from "node:fs";
import { access, rename, rm } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Client } from "../../client/connect.ts";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { causeOf, CliError, exitStatus } from "../cli-error.ts";
import { byteSize } from "../format.ts";
import { command, runOption } from "../command.ts";
import { type Io, writeLine } from "../io.ts";
import { startSpinner } from "../spinner.ts";
import { connectTarget } from "../target.ts";
import { parseId } from "../parse-id.ts";
import { findArtifact, listArtifacts, runIdOf } from "./artifact-access.ts";

export const downloadCommand = command({
  name: "task download",
  summary: "Download an artifact.",
  details: ["The file appears under its name only when all of it has arrived."],
  args: [{ name: "TASK_ID" }, { name: "NAME" }, { name: "FILE|-", optional: true }],
  options: {
    run: runOption,
    force: { type: "flag", summary: "Replace a file that is there already." },
  },
  examples: [
    { command: "taskyard task download ID public/build.tar.gz", says: "Into build.tar.gz here." },
    { command: "taskyard task download ID public/report.json - | jq .", says: "To standard output." },
  ],
  async run({ options, args, io }) {
    const [, name = "", file = basename(name)] = args;
    const taskId = parseId(args[0]);
    const client = await connectTarget(io);
    const source = await findArtifact(client, taskId, runIdOf(options.run), name);
    if (source === undefined) throw new CliError(await notFound(client, taskId, runIdOf(options.run), name));
    const response = await fetch(source.url).catch((error: unknown) => {
      throw new CliError(`${name} cannot be downloaded: ${causeOf(error)}`, { cause: error });
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new CliError(
        `${name} cannot be downloaded: its store answered ${response.status} ${response.statusText}`,
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
  const progress = startSpinner(io, "downloading");
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      progress.step(`downloading ${byteSize(bytes)}`);
      done(null, chunk);
    },
  });
  try {
    if (!force && (await exists(path)))
      throw new CliError(`${path} is there already: use --force to replace it`);
    await pipeline(body, count, createWriteStream(part));
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  } finally {
    body.destroy();
    progress.stop();
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
  if (names.length === 0) return `${taskId} has no artifacts`;
  const meant = didYouMean(name, names);
  return `${taskId} has no artifact ${name}${meant === undefined ? "; see taskyard task artifacts" : `; did you mean ${meant}?`}`;
}
