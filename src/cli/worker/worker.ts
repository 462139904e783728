// `taskyard worker`: a worker for any server.
import { command } from "../command.ts";
import { configOption, configure } from "../configuration.ts";
import { warnWithoutInit } from "../init-warning.ts";
import { stopLimitMs } from "../local-worker.ts";
import { connectTarget } from "../target.ts";
import { listenForStop } from "../stop-request.ts";
import { registrationOptions, workerOptions } from "../worker-options.ts";
import { membershipOf, runPoolWorker } from "./pool-worker.ts";
import { statusOfWorker } from "./status-of-worker.ts";

export const workerCommand = command({
  name: "worker",
  summary: "Start a worker that runs tasks as processes of this machine.",
  details: [
    "A worker that root starts runs tasks as an unprivileged user (--task-user). Any other runs them with its own rights: give " +
      "its user no more than its tasks may have.",
    "The first Ctrl-C, SIGTERM or SIGHUP stops the worker. Tasks that are still running after the stop grace are ended, and run again " +
      "elsewhere. SIGUSR2 drains it: it claims no more tasks, and exits when those that are running have ended.",
    "Its credentials need the scopes queue:claim-work:QUEUE, queue:worker-id:GROUP/ID and queue:status:*, and " +
      "events:listen where the server's events are not public. With --pool and --secret-file it gets credentials from a worker " +
      "pool instead, and renews them. It exits with 70 if its pool required it to terminate.",
  ],
  args: [],
  options: { ...workerOptions.options, ...registrationOptions.options, config: configOption },
  examples: [
    { command: "taskyard worker --task-queue proj/linux", description: "Work for the local server." },
    {
      command: "TASKCLUSTER_ROOT_URL=https://ci.example.com … taskyard worker",
      description: "Work for another one.",
    },
    {
      command: "taskyard worker --pool ci/linux --secret-file /etc/taskyard/pool-secret",
      description: "Get credentials from a worker pool.",
    },
  ],
  async run({ options, io }) {
    const shutdown = listenForStop(io);
    const flags = [...workerOptions.flags(options), ...registrationOptions.flags(options)];
    const sources = { env: io.env, cwd: io.cwd, file: options.config, flags };
    const { config, log } = await configure(sources, io.stderr);
    const membership = membershipOf(config);
    shutdown.allow(stopLimitMs(config.worker));
    if (membership !== undefined) return runPoolWorker({ config, log, sources, membership, shutdown, io });
    // Fails if there is no server: when a worker starts, that is most likely a wrong address.
    const client = await connectTarget(io);
    warnWithoutInit(log);
    const { startWorker } = await import("../../worker/main.ts");
    const worker = await startWorker({ ...config.worker, client, log });
    return statusOfWorker(worker, shutdown, io);
  },
});
