// `taskyard worker`: a worker for any server.
import { exitStatus } from "./cli-error.ts";
import { command } from "./command.ts";
import { prepare, type Flags } from "./stack.ts";
import { connectTarget } from "./target.ts";
import { waitForShutdown } from "./wait-for-shutdown.ts";
import { configOption } from "./up.ts";

/** Options that set the configuration's section `worker`. */
const settings = {
  "task-queue": "worker.taskQueueId",
  "worker-group": "worker.workerGroup",
  "worker-id": "worker.workerId",
  capacity: "worker.capacity",
  "work-dir": "worker.workDir",
} as const;

export const workerCommand = command({
  name: "worker",
  summary: "Start a worker that runs tasks as processes of this machine.",
  details: [
    "Tasks run with the rights of the user who starts it: give that user no more than its tasks may have. The first " +
      "Ctrl-C or SIGTERM ends running tasks, which are then run again elsewhere.",
    "Its credentials need the scopes queue:claim-work:QUEUE, queue:worker-id:GROUP/ID and queue:status:*, and " +
      "events:listen where the server's events are not public.",
  ],
  args: [],
  options: {
    "task-queue": {
      type: "value",
      short: "q",
      value: "QUEUE",
      summary: "The queue to work on. Default: local/default.",
    },
    capacity: {
      type: "value",
      short: "c",
      value: "N",
      summary: "Tasks at once. Default: the number of cores.",
    },
    "worker-group": {
      type: "value",
      value: "GROUP",
      summary: "Its group, such as a region. Default: local.",
    },
    "worker-id": { type: "value", value: "ID", summary: "Its name in the group. Default: the host's name." },
    "work-dir": {
      type: "value",
      value: "DIR",
      summary: "Where tasks run. Default: worker in the home folder.",
    },
    config: configOption,
  },
  examples: [
    { command: "taskyard worker --task-queue proj/linux", description: "Work for the local server." },
    {
      command: "TASKCLUSTER_ROOT_URL=https://ci.example.com … taskyard worker",
      description: "Work for another one.",
    },
  ],
  async run({ options, io }) {
    const shutdown = waitForShutdown(io);
    const flags: Flags = Object.entries(settings).flatMap(([name, key]) => {
      const value = options[name as keyof typeof settings];
      return value === undefined ? [] : [{ key, value, flag: `--${name}` }];
    });
    const { config, monitor } = await prepare(
      { env: io.env, cwd: io.cwd, file: options.config, flags },
      io.stderr,
    );
    // A server that is away when a worker starts is most likely a wrong address.
    const client = await connectTarget(io);
    const { startWorker } = await import("../worker/main.ts");
    const worker = await startWorker({
      ...config.worker,
      client,
      log: monitor.log,
      maxArtifactBytes: config.artifacts.maxSize,
    });
    await Promise.race([shutdown.requested.then((signal) => worker.stop(signal)), worker.done]);
    shutdown.dispose();
    return exitStatus.ok;
  },
});
