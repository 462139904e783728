// Settings of the queue.
import { count, duration, flag, longestTimer, section } from "../../../lib/setting.ts";

const queue = section("Tasks, runs and claims.", {
  claimTimeout: duration("20m", {
    description: "How long a claim lasts before the worker must have reclaimed it.",
  }),
  maxTaskDeadline: duration("5d", { description: "How far in the future a task's deadline may be." }),
  deadlineTolerance: duration("15m", {
    min: "0ms",
    description:
      "How far `created` may be from the server's time, and what maxTaskDeadline may be exceeded by.",
  }),
  deadlineDelay: duration("60s", {
    min: "0ms",
    description: "How long after its deadline an unresolved task is ended with deadline-exceeded.",
  }),
  loopInterval: duration("5s", {
    max: longestTimer,
    description: "How often the loops look for work although no signal came: the safety net.",
  }),
  // A batch is one set-based statement here, not a round trip per row, so it can be far larger than the 32
  // usual elsewhere: 200 ends a lost host's claims in one go. Thousands would hold row locks so long that the
  // calls of live workers on those rows would feel it.
  loopBatch: count({
    preset: 200,
    min: 1,
    max: 10_000,
    description: "Rows that a loop takes in one statement.",
  }),
  maxRuns: count({ preset: 50, min: 1, max: 1000, description: "Runs that one task may have." }),
  claimWorkTimeout: duration("20s", {
    max: "5m",
    description:
      "How long claimWork waits for work before it answers with none. Usual clients give up after 30s: stay below.",
  }),
  maxTasksPerClaim: count({
    preset: 32,
    min: 1,
    max: 1000,
    description: "Tasks that one claimWork hands out.",
  }),
  maxDependencies: count({ preset: 10_000, min: 0, max: 10_000, description: "Dependencies of one task." }),
  artifactAfterException: duration("25m", {
    min: "0ms",
    description: "How long artifacts may be added to a run after it ended in an exception.",
  }),
  artifactUploadExpires: duration("45m", { description: "How long an upload URL is valid." }),
  expiryDelay: duration("30m", {
    min: "0ms",
    description: "How long after its expiry a thing is removed.",
  }),
  workerSeenInterval: duration("1s", {
    max: longestTimer,
    description: "How often what was seen of workers is written; a crash loses that much of it.",
  }),
  // Off where nobody writes such events: a follower has the process read the whole log.
  workerManagerEvents: flag(false, {
    description:
      "Whether runs are ended at once when a worker-manager says in the event log that their worker is gone; " +
      "otherwise they end with their claims.",
  }),
  watchdogInterval: duration("10s", {
    min: "1ms",
    max: longestTimer,
    description:
      "How often the watchdog looks at a slice of each thing that it checks, in all processes together.",
  }),
  watchdogSlice: count({
    preset: 500,
    min: 1,
    max: 100_000,
    description:
      "Tasks and the like in such a slice. What it costs, and how long a whole pass takes, follows from it.",
  }),
  watchdogPatience: duration("2m", {
    min: "0ms",
    description:
      "How late the loops may be before the watchdog does their work and tells so, and how far the clocks of servers may be off that of the database.",
  }),
  groupExpiryMargin: duration("1h", {
    min: "0ms",
    description: "How long a task group outlives the task of it that expires last.",
  }),
});

export const settings = { queue };
