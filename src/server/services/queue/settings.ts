// Settings of the queue.
import { count, duration, flag, longestTimer, section } from "../../../lib/setting.ts";

const queue = section("Tasks, runs and claims.", {
  claimTimeout: duration("20m", {
    description: "How long a claim lasts unless the worker reclaims it.",
  }),
  maxTaskDeadline: duration("5d", { description: "How far in the future a task's deadline may be." }),
  deadlineTolerance: duration("15m", {
    min: "0ms",
    description:
      "Maximum difference between `created` and the server's time; also by how much a deadline may exceed maxTaskDeadline.",
  }),
  deadlineDelay: duration("60s", {
    min: "0ms",
    description: "How long after its deadline an unresolved task is resolved as deadline-exceeded.",
  }),
  loopInterval: duration("5s", {
    max: longestTimer,
    description: "How often loops run without a signal, as a safety net.",
  }),
  // A batch is one set-based statement, not a round trip per row, so it can be far larger than the usual 32: 200 ends
  // all claims of a lost host together. Thousands would hold row locks long enough to delay the calls of live workers.
  loopBatch: count({
    preset: 200,
    min: 1,
    max: 10_000,
    description: "Maximum rows that a loop processes in one statement.",
  }),
  maxRuns: count({ preset: 50, min: 1, max: 1000, description: "Maximum runs of one task." }),
  claimWorkTimeout: duration("20s", {
    max: "5m",
    description:
      "How long claimWork waits for work before it returns none. Keep it below the timeout of clients, usually 30s.",
  }),
  maxTasksPerClaim: count({
    preset: 32,
    min: 1,
    max: 1000,
    description: "Maximum tasks that one claimWork returns.",
  }),
  maxDependencies: count({
    preset: 10_000,
    min: 0,
    max: 10_000,
    description: "Maximum dependencies of one task.",
  }),
  artifactAfterException: duration("25m", {
    min: "0ms",
    description: "How long artifacts may be added to a run after it was resolved as exception.",
  }),
  artifactUploadExpires: duration("45m", { description: "How long an upload URL is valid." }),
  expiryDelay: duration("30m", {
    min: "0ms",
    description: "How long after its expiration a task, artifact, group or worker is removed.",
  }),
  workerSeenInterval: duration("1s", {
    max: longestTimer,
    description:
      "How often the activity of workers is written; a crash loses the activity since the last write.",
  }),
  workerManagerEvents: flag(true, {
    description:
      "Whether runs end as soon as worker-manager logs the event that their worker is gone, instead of when their claims " +
      "expire. Only workers of the provider `self` have such events.",
  }),
  watchdogInterval: duration("10s", {
    min: "1ms",
    max: longestTimer,
    description:
      "How often the watchdog runs each of its checks on a slice of the rows, in all processes together.",
  }),
  watchdogSlice: count({
    preset: 500,
    min: 1,
    max: 100_000,
    description: "Rows in such a slice. It determines the cost of a run and the duration of a complete pass.",
  }),
  watchdogPatience: duration("2m", {
    min: "0ms",
    description:
      "How late the loops may be before the watchdog does and reports their work; also the maximum clock difference between servers and database.",
  }),
  groupExpiryMargin: duration("1h", {
    min: "0ms",
    description: "How long a task group is kept after its last task expires.",
  }),
});

export const settings = { queue };
