// `taskyard ping`.
import { exitStatus } from "./cli-error.ts";
import { command, jsonOption } from "./command.ts";
import { writeJson, writeLine } from "./io.ts";
import { connectTarget } from "./target.ts";

export const pingCommand = command({
  name: "ping",
  summary: "Check that the server is up and healthy.",
  args: [],
  options: { json: jsonOption },
  examples: [
    { command: "taskyard ping && taskyard run -- make", description: "Run a task if the server is up." },
  ],
  async run({ options, io }) {
    const client = await connectTarget(io);
    const started = performance.now();
    await client.queue.heartbeat();
    const ms = Math.round(performance.now() - started);
    if (options.json) writeJson(io.stdout, { rootUrl: client.rootUrl, alive: true, milliseconds: ms });
    else writeLine(io.stdout, `${client.rootUrl} is healthy (${ms} ms)`);
    return exitStatus.ok;
  },
});
