// `taskyard index delete`.
import { exitStatus } from "../cli-error.ts";
import { command } from "../command.ts";
import { writeLine } from "../io.ts";
import { connectTarget } from "../target.ts";
import { parsePath } from "./parse-path.ts";

export const indexDeleteCommand = command({
  name: "index delete",
  summary: "Delete the entry at a path of the index, but not its task.",
  details: ["Succeeds if there is none. Namespaces stay until they expire."],
  args: [{ name: "PATH" }],
  options: {},
  examples: [
    { command: "taskyard index delete project.nightly.linux", description: "Forget what is at a path." },
  ],
  async run({ args, io }) {
    const namespace = parsePath(args[0]);
    const { index } = await connectTarget(io);
    await index.deleteTask({ namespace });
    writeLine(io.stdout, `nothing is at ${namespace} now`);
    return exitStatus.ok;
  },
});
