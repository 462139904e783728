// `taskyard serve`: a server process of an instance that has several.
import { didYouMean } from "../lib/did-you-mean.ts";
import type { Role } from "../server/index.ts";
import { exitStatus, UsageError } from "./cli-error.ts";
import { command } from "./command.ts";
import { writeLine } from "./io.ts";
import { prepare, startServerAlone, type Flags } from "./stack.ts";
import { waitForShutdown } from "./wait-for-shutdown.ts";
import { configOption } from "./up.ts";

export const serveCommand = command({
  name: "serve",
  summary: "Start a server process for an instance on a PostgreSQL of yours.",
  details: [
    "Any number of them may run on the same database. DATABASE_URL, TASKYARD_AUTH_ROOT_ACCESS_TOKEN and " +
      "TASKYARD_AUTH_SECRET must be the same for all. The log goes to standard output.",
  ],
  args: [],
  options: {
    roles: {
      type: "value",
      value: "LIST",
      summary: "What this process does, such as api or loops. Default: everything.",
    },
    port: { type: "value", short: "p", value: "N", summary: "Port to listen on. Default: 8080." },
    config: configOption,
  },
  examples: [
    { command: "taskyard serve --roles api", says: "Answer requests, and nothing else." },
    { command: "taskyard serve --roles loops --port 0", says: "Only what must be done now and then." },
  ],
  async run({ options, io }) {
    const stop = waitForShutdown(io);
    const flags: Flags =
      options.port === undefined ? [] : [{ key: "server.port", value: options.port, flag: "--port" }];
    const prepared = await prepare({ env: io.env, cwd: io.cwd, file: options.config, flags }, io.stdout);
    const roles = readRoles(options.roles, prepared.server.ROLES);
    const server = await startServerAlone(prepared, roles);
    writeLine(io.stderr, `ready at ${server.rootUrl}`);
    await stop.asked;
    const unclean = await server.stop();
    stop.done();
    return unclean.length === 0 ? exitStatus.ok : exitStatus.failure;
  },
});

function readRoles(option: string | undefined, known: readonly Role[]): readonly Role[] {
  if (option === undefined) return known;
  return option.split(",").map((word) => {
    const role = known.find((name) => name === word.trim());
    if (role !== undefined) return role;
    const meant = didYouMean(word, known);
    const hint = meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`;
    throw new UsageError(`--roles ${option}: ${word || "an empty word"} is not a role; ${hint}`);
  });
}
