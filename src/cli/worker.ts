// `taskyard worker`: a worker for any server.
import { CliError, exitStatus } from "./cli-error.ts";
import { command } from "./command.ts";
import { configOption, configure } from "./configuration.ts";
import { warnWithoutInit } from "./init-warning.ts";
import { stopLimitMs } from "./local-worker.ts";
import { connectTarget } from "./target.ts";
import { listenForStop, statusOfStop } from "./stop-request.ts";
import { workerFlags, workerOptions } from "./worker-options.ts";

export const workerCommand = command({
  name: "worker",
  summary: "Start a worker that runs tasks as processes of this machine.",
  details: [
    "A worker that root starts runs tasks as an unprivileged user (--task-user). Any other runs them with its own rights: give " +
      "its user no more than its tasks may have.",
    "The first Ctrl-C, SIGTERM or SIGHUP stops the worker. Tasks that are still running after the stop grace are ended, and run again " +
      "elsewhere. SIGUSR2 drains it: it claims no more tasks, and exits when those that are running have ended.",
    "Its credentials need the scopes queue:claim-work:QUEUE, queue:worker-id:GROUP/ID and queue:status:*, and " +
      "events:listen where the server's events are not public.",
  ],
  args: [],
  options: { ...workerOptions, config: configOption },
  examples: [
    { command: "taskyard worker --task-queue proj/linux", description: "Work for the local server." },
    {
      command: "TASKCLUSTER_ROOT_URL=https://ci.example.com … taskyard worker",
      description: "Work for another one.",
    },
  ],
  async run({ options, io }) {
    const shutdown = listenForStop(io);
    const { config, log } = await configure(
      { env: io.env, cwd: io.cwd, file: options.config, flags: workerFlags(options) },
      io.stderr,
    );
    // Fails if there is no server: when a worker starts, that is most likely a wrong address.
    const client = await connectTarget(io);
    warnWithoutInit(log);
    shutdown.allow(stopLimitMs(config.worker));
    const { startWorker } = await import("../worker/main.ts");
    const worker = await startWorker({ ...config.worker, client, log });
    void shutdown.requested.then((signal) => worker.stop(signal));
    const ignoreDrain = io.onDrain(() => void worker.drain("SIGUSR2"));
    const failure = await worker.done;
    ignoreDrain();
    shutdown.dispose();
    // oxlint-disable-next-line messages/next-step -- the worker names it
    if (failure !== undefined) throw new CliError(failure.message, { cause: failure });
    return shutdown.signal.aborted ? statusOfStop(await shutdown.requested, true) : exitStatus.ok;
  },
});
