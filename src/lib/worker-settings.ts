// The settings of the worker. They are declared here, below the server, the worker and the command line, because all three
// derive from them: the configuration file and its reference page, the options of `startWorker`, and command line options.
import Type, { type Static } from "typebox";
import { choice, count, duration, longestTimer, path, section, size, text } from "./setting.ts";

const identifier = {
  pattern: "^[a-zA-Z0-9_-]{1,38}$",
  expected: "1 to 38 characters of A-Z a-z 0-9 _ -",
} as const;

/** The form of the ids of task queues and worker pools. */
export const taskQueuePattern = {
  pattern: "^[a-zA-Z0-9_-]{1,38}/[a-z]([-a-z0-9]{0,36}[a-z0-9])?$",
  expected: "a provisioner id, a slash and a worker type in lower case, such as local/default",
} as const;

export const workerSettings = section("The worker that `taskyard worker` and `taskyard up` start.", {
  taskQueueId: text({
    ...taskQueuePattern,
    preset: "local/default",
    option: { name: "task-queue", value: "QUEUE" },
    description: "The task queue that the worker claims tasks from.",
  }),
  workerGroup: text({
    ...identifier,
    preset: "local",
    option: { name: "worker-group", value: "GROUP" },
    description: "The group that the worker belongs to, such as a region.",
  }),
  workerId: text({
    ...identifier,
    derived: "from the host's name, with a suffix if `worker.workDir` is not the default one",
    option: { name: "worker-id", value: "ID" },
    description: "The name of the worker, unique in its group.",
  }),
  capacity: count({
    min: 1,
    max: 1000,
    derived: "the number of cores",
    option: { name: "capacity", short: "c", value: "N" },
    description: "Maximum number of concurrent tasks.",
  }),
  workDir: path({
    derived: "worker in the home folder",
    option: { name: "work-dir", value: "DIR" },
    description: "The folder with the working directories of tasks. Workers may share it.",
  }),
  taskUser: Type.Optional(
    text({
      derived: "for a worker that is root taskyard-task or daemon, else the worker's own user",
      option: { name: "task-user", value: "NAME" },
      description:
        "The user that runs the commands of tasks. Only a worker that is root can choose another one than its own. With root, " +
        "tasks can do everything on this machine.",
    }),
  ),
  taskVariables: Type.Optional(
    text({
      pattern: "^[A-Za-z_][A-Za-z0-9_]*(,[A-Za-z_][A-Za-z0-9_]*)*$",
      expected: "names of variables with commas between them, such as JAVA_HOME,SSL_CERT_FILE",
      derived: "none",
      option: { name: "task-variables", value: "NAMES" },
      description:
        "Variables of the worker that tasks inherit in addition to PATH, LANG, LC_*, TZ, TERM and those of proxies.",
    }),
  ),
  taskNamespaces: choice(["auto", "off"], {
    preset: "auto",
    option: { name: "task-namespaces", value: "MODE" },
    description:
      "With `auto`, the processes of each task have a PID namespace of their own where the system allows it. With `off`, they " +
      "do not, and a task that is not root can use sudo.",
  }),
  liveLogHost: Type.Optional(
    text({
      derived: "the address by which the worker reaches the server",
      option: { name: "live-log-host", value: "HOST" },
      description:
        "The address on which the worker serves the logs of running tasks. Readers of other machines must be able to reach it.",
    }),
  ),
  liveLogPort: count({
    preset: 0,
    min: 0,
    max: 65_535,
    option: { name: "live-log-port", value: "N" },
    description: "The port of the live logs; 0 selects a free one.",
  }),
  liveLogUrl: Type.Optional(
    text({
      written: "url",
      pattern: "^https?://[^/\\s?#]+(/[^\\s?#]*)?$",
      expected: "a URL such as https://worker.example.com",
      derived: "from host and port",
      option: { name: "live-log-url", value: "URL" },
      description:
        "The URL at which readers reach the live logs. Needed behind a proxy, or if readers use another address than the worker's own.",
    }),
  ),
  stopGrace: duration("0ms", {
    min: "0ms",
    max: longestTimer,
    option: { name: "stop-grace", value: "DURATION" },
    description: "How long running tasks may continue when the worker stops.",
  }),
  // The report may take two seconds more, so that the stop is complete within the ten seconds that service managers allow.
  shutdownLimit: duration("6s", {
    min: "0ms",
    max: longestTimer,
    option: { name: "shutdown-limit", value: "DURATION" },
    description: "How long tasks that are ended by a stop of the worker may take to save their logs.",
  }),
  maxTaskRunTime: duration("1d", {
    min: "1s",
    option: { name: "max-task-run-time", value: "DURATION" },
    description: "The largest `maxRunTime` that a task may have.",
  }),
  maxLogSize: size("1GiB", {
    option: { name: "max-log-size", value: "SIZE" },
    description: "The largest log of a task. A task that writes more fails.",
  }),
  maxArtifactSize: size("50GB", {
    option: { name: "max-artifact-size", value: "SIZE" },
    description: "The largest file that may be an artifact.",
  }),
  maxPutSize: size("5GiB", {
    option: { name: "max-put-size", value: "SIZE" },
    description:
      "The largest file that is uploaded in one PUT. Larger ones are uploaded in parts, as artifacts of type `object`. S3 accepts at most 5GiB.",
  }),
  hookLimit: duration("30m", {
    max: longestTimer,
    option: { name: "hook-limit", value: "DURATION" },
    description:
      "How long one step before or after a task's commands may take, such as saving its artifacts.",
  }),
  cancelPollInterval: duration("2s", {
    max: longestTimer,
    option: { name: "cancel-poll-interval", value: "DURATION" },
    description:
      "How often the worker checks whether its tasks were canceled while it has no stream of the server's events.",
  }),
});

/** The loaded settings: durations in milliseconds, sizes in bytes, paths absolute. */
export type WorkerSettings = Readonly<Static<typeof workerSettings>>;
