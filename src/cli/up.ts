// `taskyard up`: server, database and worker on this machine.
import { VERSION } from "../lib/version.ts";
import { CliError } from "./cli-error.ts";
import { colorsFor } from "./colors.ts";
import { command } from "./command.ts";
import { configOption, type Flags } from "./configuration.ts";
import { writeLines, type Io } from "./io.ts";
import { warnWithoutInit } from "./init-warning.ts";
import { homeFolder } from "./local-instance.ts";
import { setupLine } from "./shell.ts";
import { prepare, stackStopMs, startStack, type Stack } from "./stack.ts";
import { listenForStop, statusOfStop } from "./stop-request.ts";
import { workerOptions } from "./worker-options.ts";

export const upCommand = command({
  name: "up",
  summary: "Start a server with its own PostgreSQL, and a worker, on this machine.",
  details: [
    "Runs until Ctrl-C. Data, secrets and artifacts are kept in the home folder: --home, else TASKYARD_HOME, else " +
      "~/.taskyard. If DATABASE_URL is set, uses that PostgreSQL instead of its own. Logs to standard error.",
  ],
  args: [],
  options: {
    port: {
      type: "value",
      short: "p",
      value: "N",
      summary: "Port to listen on; 0 picks a free port. Default: 8080.",
    },
    home: { type: "value", value: "DIR", summary: "Home folder." },
    config: configOption,
    "no-worker": { type: "flag", summary: "Start only the server." },
    ...workerOptions.options,
  },
  examples: [
    { command: "taskyard up", description: "Start at http://localhost:8080." },
    {
      command: "taskyard up --port 0 --home ./try",
      description: "Start on a free port, with separate data.",
    },
  ],
  async run({ options, io }) {
    const shutdown = listenForStop(io);
    const flags: Flags = [
      ...(options.port === undefined
        ? []
        : [{ key: "server.port", value: options.port, flag: "--port" } as const]),
      ...(options.home === undefined ? [] : [{ key: "home", value: options.home, flag: "--home" } as const]),
      ...workerOptions.flags(options),
    ];
    const prepared = await prepare({ env: io.env, cwd: io.cwd, file: options.config, flags }, io.stderr);
    shutdown.allow(stackStopMs(prepared.config));
    const workerEnv = options["no-worker"] ? undefined : io.env;
    if (workerEnv) warnWithoutInit(prepared.monitor.log);
    const stack = await startStack(prepared, workerEnv, setupLineFor(prepared, io)).catch(
      (error: unknown) => {
        throw explained(error, prepared.config.server.port);
      },
    );
    printWelcome(stack, !options["no-worker"], io);
    const reason = await Promise.race([shutdown.requested, stack.broken]);
    const clean = await stack.stop(typeof reason === "string" ? reason : reason.message);
    shutdown.dispose();
    if (typeof reason === "string") return statusOfStop(reason, clean);
    throw new CliError(
      `PostgreSQL could not be kept running: ${reason.message}. See its messages above, and start again.`,
      { cause: reason },
    );
  },
});

/** Returns the line with which another shell uses this server. */
function setupLineFor({ config }: Pick<Stack, "config">, io: Io): string {
  // Another shell does not have the TASKYARD_HOME of this one.
  const isDefaultHome = config.home === homeFolder({ env: {}, cwd: io.cwd });
  return setupLine(io, isDefaultHome ? undefined : config.home);
}

/** Says what callers without credentials may read, and how to change it. */
const accessText: Readonly<Record<Stack["access"], string>> = {
  closed: "closed: reading needs credentials too",
  results:
    "programs on this machine may read states, logs, public artifacts and metrics; TASKYARD_ACCESS=closed prevents it",
  open: "everyone who reaches this server may read everything but private artifacts; TASKYARD_ACCESS=closed prevents it",
};

function printWelcome(stack: Stack, withWorker: boolean, io: Io): void {
  const { client, config, access } = stack;
  const colors = colorsFor(io.stdout, io.env);
  writeLines(io.stdout, [
    `Taskyard ${VERSION} is ready at ${colors.bold(client.rootUrl)}`,
    "",
    `  set up another shell    ${setupLineFor(stack, io)}`,
    `  run a first task there  taskyard run -- echo hello`,
    ...(withWorker ? [] : [`  start a worker          taskyard worker`]),
    `  data folder             ${config.home}`,
    `  access                  ${accessText[access]}`,
    `  stop                    Ctrl-C`,
    "",
  ]);
}

/** Explains the usual reason why a server does not start. */
function explained(error: unknown, port: number): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "EADDRINUSE") return error;
  return new CliError(
    `port ${port} is in use, perhaps by another \`taskyard up\`: choose another with --port, or --port 0 for any free port`,
    { cause: error },
  );
}
