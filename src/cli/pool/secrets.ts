// `taskyard pool secret set`, `rotate` and `remove`.
import { changeCommand } from "../change-command.ts";
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLine } from "../io.ts";
import { parsePoolId } from "../parse-task-queue.ts";
import { connectTarget } from "../target.ts";
import { nameOf, newOption, readSecret, withSecret } from "./secret-file.ts";

export const poolSecretSetCommand = command({
  name: "pool secret set",
  summary: "Set the secret by which workers of a pool register, instead of all others.",
  details: [
    "FILE contains the secret; - is standard input. Workers that have registered stay. Any worker with another secret cannot register " +
      "any more, so replace a secret that is in use with `taskyard pool secret rotate`. For pools of the provider self.",
  ],
  args: [{ name: "POOL" }, { name: "FILE" }],
  options: { new: newOption, json: jsonOption },
  examples: [
    {
      command: "taskyard pool secret set ci/linux linux.secret --new",
      description: "Make the first secret of a pool, and write it into linux.secret.",
    },
    {
      command: "pass show ci/linux | taskyard pool secret set ci/linux -",
      description: "Set a secret that is in no file.",
    },
  ],
  async run({ options, args: [word, file = ""], io }) {
    const workerPoolId = parsePoolId(word);
    const { workerManager } = await connectTarget(io);
    await withSecret(file, options.new, io, (secret) =>
      workerManager.setWorkerPoolSecrets({ workerPoolId }, { secrets: [secret] }),
    );
    if (options.json) writeJson(io.stdout, { workerPoolId });
    else writeLine(io.stdout, `${workerPoolId} has one secret, that in ${nameOf(file)}`);
    return exitStatus.ok;
  },
});

export const poolSecretRotateCommand = command({
  name: "pool secret rotate",
  summary: "Begin to replace the secret of a pool: the old one and a new one are valid.",
  details: [
    "OLD_FILE and NEW_FILE contain a secret each; one of them can be -, standard input. `taskyard pool secret set POOL NEW_FILE` ends " +
      "the rotation when all workers have the new secret. The server does not return secrets, so both are sent.",
  ],
  args: [{ name: "POOL" }, { name: "OLD_FILE" }, { name: "NEW_FILE" }],
  options: {
    new: {
      ...newOption,
      summary: "Make the new secret, and write it into NEW_FILE, which must not exist yet.",
    },
    json: jsonOption,
  },
  examples: [
    {
      command: "taskyard pool secret rotate ci/linux linux.secret linux-2.secret --new",
      description: "Make another secret, and keep the first one valid.",
    },
  ],
  async run({ options, args: [word, oldFile = "", newFile = ""], io }) {
    const workerPoolId = parsePoolId(word);
    if (oldFile === "-" && newFile === "-")
      throw new UsageError("OLD_FILE and NEW_FILE are both -: use a file for one of them");
    const oldSecret = await readSecret(oldFile, io);
    const { workerManager } = await connectTarget(io);
    await withSecret(newFile, options.new, io, (newSecret) => {
      if (newSecret === oldSecret)
        throw new UsageError(
          `${nameOf(oldFile)} and ${nameOf(newFile)} have the same secret: use another new one`,
        );
      return workerManager.setWorkerPoolSecrets({ workerPoolId }, { secrets: [newSecret, oldSecret] });
    });
    if (options.json) writeJson(io.stdout, { workerPoolId });
    else {
      writeLine(
        io.stdout,
        `${workerPoolId} has two secrets, those in ${nameOf(oldFile)} and ${nameOf(newFile)}`,
      );
      writeLine(
        io.stderr,
        `Give ${nameOf(newFile)} to all workers, then run: taskyard pool secret set ${workerPoolId} ${newFile}`,
      );
    }
    return exitStatus.ok;
  },
});

export const poolSecretRemoveCommand = changeCommand({
  name: "pool secret remove",
  summary: "Remove all secrets of a pool, so that no worker can register.",
  details: ["Workers that have registered stay."],
  args: [{ name: "POOL" }],
  examples: [
    {
      command: "taskyard pool secret remove ci/linux",
      description: "Stop registrations after a secret has leaked.",
    },
  ],
  parse: parsePoolId,
  async change({ workerManager }, workerPoolId) {
    await workerManager.setWorkerPoolSecrets({ workerPoolId }, { secrets: [] });
    return { workerPoolId };
  },
  done: (workerPoolId) => `${workerPoolId} has no secret: no worker can register`,
});
