// `taskyard up`: everything in one process on this machine.
import { VERSION } from "../lib/version.ts";
import { CliError, exitStatus } from "./cli-error.ts";
import { command } from "./command.ts";
import { writeLines, type Io } from "./io.ts";
import { homeFolder } from "./local-instance.ts";
import { colorsFor } from "./colors.ts";
import { prepare, startStack, type Flags, type Stack } from "./stack.ts";
import { waitForShutdown } from "./wait-for-shutdown.ts";

export const configOption = {
  type: "value",
  value: "FILE",
  summary: "The configuration file. Default: taskyard.yml here or in the home folder.",
} as const;

export const upCommand = command({
  name: "up",
  summary: "Start a server with its own PostgreSQL, and a worker, on this machine.",
  details: [
    "Stays until Ctrl-C. Data, secrets and artifacts are in the home folder, ~/.taskyard unless TASKYARD_HOME or --home " +
      "says otherwise; DATABASE_URL takes another PostgreSQL instead of its own. The log goes to standard error.",
  ],
  args: [],
  options: {
    port: {
      type: "value",
      short: "p",
      value: "N",
      summary: "Port to listen on; 0 is any free one. Default: 8080.",
    },
    home: { type: "value", value: "DIR", summary: "The home folder." },
    config: configOption,
    "no-worker": { type: "flag", summary: "Start the server alone." },
  },
  examples: [
    { command: "taskyard up", says: "At http://localhost:8080." },
    { command: "taskyard up --port 0 --home ./try", says: "Somewhere else, with data of its own." },
  ],
  async run({ options, io }) {
    const stop = waitForShutdown(io);
    const flags: Flags = [
      ...(options.port === undefined
        ? []
        : [{ key: "server.port", value: options.port, flag: "--port" } as const]),
      ...(options.home === undefined ? [] : [{ key: "home", value: options.home, flag: "--home" } as const]),
    ];
    const prepared = await prepare({ env: io.env, cwd: io.cwd, file: options.config, flags }, io.stderr);
    const stack = await startStack(prepared, !options["no-worker"]).catch((error: unknown) => {
      throw explained(error, prepared.config.server.port);
    });
    announce(stack, !options["no-worker"], io);
    const why = await Promise.race([stop.asked, stack.broken]);
    const clean = await stack.stop(typeof why === "string" ? why : why.message);
    stop.done();
    if (typeof why === "string") return clean ? exitStatus.ok : exitStatus.failure;
    throw new CliError(`PostgreSQL could not be kept running: ${why.message}`, { cause: why });
  },
});

function announce({ client, config }: Stack, withWorker: boolean, io: Io): void {
  const colors = colorsFor(io.stdout, io.env);
  const elsewhere = config.home !== homeFolder(io);
  writeLines(io.stdout, [
    `Taskyard ${VERSION} is ready at ${colors.bold(client.rootUrl)}`,
    "",
    ...(elsewhere ? [`  in other shells     export TASKYARD_HOME=${config.home}`] : []),
    `  run a first task    taskyard run -- echo hello`,
    `  point tools at it   eval "$(taskyard env)"`,
    ...(withWorker ? [] : [`  start a worker      taskyard worker`]),
    `  data                ${config.home}`,
    `  stop                Ctrl-C`,
    "",
  ]);
}

/** The usual reason why a server does not start, with what to do. */
function explained(error: unknown, port: number): unknown {
  if (!(error instanceof Error) || !("code" in error) || error.code !== "EADDRINUSE") return error;
  const text = `port ${port} is taken, perhaps by another \`taskyard up\`: choose one with --port, or 0 for any`;
  return new CliError(text, { cause: error });
}
