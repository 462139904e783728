// `taskyard ping`: is there a server, and does it know us?
import { exitStatus } from "./cli-error.ts";
import { command, jsonOption } from "./command.ts";
import { writeLine, writeJson } from "./io.ts";
import { connectTarget } from "./target.ts";

export const pingCommand = command({
  name: "ping",
  summary: "Ask the server whether it is well.",
  args: [],
  options: { json: jsonOption },
  examples: [{ command: "taskyard ping && taskyard run -- make", says: "Run a task if there is a server." }],
  async run({ options, io }) {
    const client = await connectTarget(io);
    const started = performance.now();
    await client.queue.heartbeat();
    const ms = Math.round(performance.now() - started);
    if (options.json) writeJson(io.stdout, { rootUrl: client.rootUrl, alive: true, milliseconds: ms });
    else writeLine(io.stdout, `${client.rootUrl} is well (answered in ${ms} ms)`);
    return exitStatus.ok;
  },
});
