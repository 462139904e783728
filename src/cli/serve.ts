// `taskyard serve`: one server process of an instance.
import { didYouMean } from "../lib/did-you-mean.ts";
import type { Role } from "../server/index.ts";
import { UsageError } from "./cli-error.ts";
import { command } from "./command.ts";
import { configOption, type Flags } from "./configuration.ts";
import { writeLine } from "./io.ts";
import { prepare, startServerAlone } from "./stack.ts";
import { listenForStop, statusOfStop } from "./stop-request.ts";

// For the last log lines of a stop that took its whole time.
const marginMs = 2000;

export const serveCommand = command({
  name: "serve",
  summary: "Start a server process on an existing PostgreSQL.",
  details: [
    "Any number of server processes may share a database. DATABASE_URL, TASKYARD_AUTH_ROOT_ACCESS_TOKEN, " +
      "TASKYARD_AUTH_SECRET and TASKYARD_ENCRYPTION_KEYS (or TASKYARD_ENCRYPTION_KEY_FILE) are required and must be the same for all of them. Logs to standard output.",
  ],
  args: [],
  options: {
    roles: {
      type: "value",
      value: "LIST",
      summary: "The roles of this process: api, loops, or both. Default: both.",
    },
    port: { type: "value", short: "p", value: "N", summary: "Port to listen on. Default: 8080." },
    config: configOption,
  },
  examples: [
    { command: "taskyard serve --roles api", description: "Only serve requests." },
    { command: "taskyard serve --roles loops --port 0", description: "Only run background loops." },
  ],
  async run({ options, io }) {
    const shutdown = listenForStop(io);
    const flags: Flags =
      options.port === undefined ? [] : [{ key: "server.port", value: options.port, flag: "--port" }];
    const prepared = await prepare({ env: io.env, cwd: io.cwd, file: options.config, flags }, io.stdout);
    shutdown.allow(prepared.config.server.stopTimeout + marginMs);
    const roles = parseRoles(options.roles, prepared.server.ROLES);
    const server = await startServerAlone(prepared, roles);
    // The root URL is the same for all servers of an instance.
    writeLine(io.stderr, `ready at ${server.rootUrl} (listening on ${server.listening})`);
    const signal = await shutdown.requested;
    const unclean = await server.stop();
    shutdown.dispose();
    return statusOfStop(signal, unclean.length === 0);
  },
});

function parseRoles(option: string | undefined, known: readonly Role[]): readonly Role[] {
  if (option === undefined) return known;
  return option.split(",").map((word) => {
    const role = known.find((name) => name === word.trim());
    if (role !== undefined) return role;
    const meant = didYouMean(word, known);
    const hint = meant === undefined ? `available: ${known.join(", ")}` : `did you mean ${meant}?`;
    // oxlint-disable-next-line messages/next-step -- the hint names the roles
    throw new UsageError(`--roles ${option}: ${word || "an empty word"} is not a role; ${hint}`);
  });
}
