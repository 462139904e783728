// The intended differences in metrics and log records, most of which every service has.
import { services } from "../../src/api/services.ts";
import type { IntendedDifference } from "./intended-difference.ts";
import { factsOf, theirServices } from "./read-facts.ts";

/** The services that both systems have. */
const common = Object.values(services)
  .map(({ name }) => name)
  .filter((name) => theirServices.includes(name));

const differences = (
  is: IntendedDifference["is"],
  reason: string,
  of: string,
  names: readonly string[],
): IntendedDifference[] => names.map((name) => ({ where: `${of} ${name}`, is, reason }));

/** Returns that the services which have these log records there do not have them here. */
const missingLogs = (reason: string, names: readonly string[]): IntendedDifference[] =>
  common.flatMap((service) => {
    const theirs = new Set(factsOf(service).logs.map(({ name }) => name));
    return differences(
      "missing",
      reason,
      `${service} log`,
      names.filter((name) => theirs.has(name)),
    );
  });

const transitions = [
  "taskClaimed",
  "taskCompleted",
  "taskDefined",
  "taskException",
  "taskFailed",
  "taskGroupCancelled",
  "taskGroupPriorityChanged",
  "taskGroupSealed",
  "taskPending",
  "taskPriorityChanged",
  "taskReclaimed",
  "taskRunning",
];

export const monitoringDifferences: readonly IntendedDifference[] = [
  ...common.flatMap((service) =>
    differences(
      "added",
      "Measures what Taskcluster does not have, or what is faster than its smallest bucket.",
      `${service} metric`,
      [
        "event_log_read_total",
        "coalesced_batch_size",
        "monitor_count_total",
        "errors_reported_total",
        ...["0.001", "0.0025", "0.005"].map((le) => `http_request_duration_seconds buckets/${le}`),
        ...["0.01", "0.1"].map((le) => `iterate_duration_seconds buckets/${le}`),
      ],
    ),
  ),
  ...differences("missing", "Each client would be a series, and there may be many clients.", "auth metric", [
    "auth_success_total labels/clientId",
  ]),
  ...differences(
    "added",
    "Counts the findings of the watchdog, which Taskcluster does not have.",
    "queue metric",
    ["queue_invariant_violations_open", "queue_invariant_violations_total"],
  ),

  ...missingLogs("Metrics count and measure this. A record per call costs more than many calls.", [
    "apiMethod",
    "awsTimer",
    "basicTimer",
    "countMetric",
    "dbFunctionCall",
    "dbPoolCounts",
    "handlerTimer",
    "measureMetric",
    "periodic",
    "resourceMetrics",
    "timekeeper",
  ]),
  ...missingLogs("The audit log in the database has the changes, and commits with them.", ["auditEvent"]),
  ...missingLogs("All other records are for people: their message is a sentence.", [
    "errorReport",
    "generic",
    "loggingError",
  ]),
  ...missingLogs("Events are read from the database, without a broker.", [
    "pulseConnected",
    "pulseDisconnected",
    "pulsePublisherBlocked",
  ]),
  ...missingLogs("Commits wake what waits for work. Nothing polls.", ["hintPoller", "queuePoll"]),
  ...differences(
    { ours: "debug" },
    "Records of transitions cost up to a quarter of a call, and events tell the same.",
    "queue log",
    transitions.map((name) => `${name} level`),
  ),
  ...differences("added", "The reason of a resolution is known.", "queue log", [
    "taskCompleted fields/reasonResolved",
    "taskFailed fields/reasonResolved",
    "taskException fields/reasonResolved",
  ]),
  ...differences("added", "The scheduler of a group is known.", "queue log", [
    "taskGroupCancelled fields/schedulerId",
  ]),
  ...differences("missing", "A group is sealed once, when the record is written.", "queue log", [
    "taskGroupSealed fields/sealed",
    "taskGroupSealed fields/expires",
  ]),
  ...differences({ ours: "info" }, "The level `notice` does not exist here.", "queue log", [
    "expiredArtifactsRemoved level",
    "taskResolvedByWorkerRemoved level",
  ]),
  ...differences(
    "missing",
    "Artifacts expire at a time of their own, and failures have records of their own.",
    "queue log",
    ["expiredArtifactsRemoved fields/expires", "expiredArtifactsRemoved fields/errorsCount"],
  ),
  ...differences({ ours: 1 }, "Its fields are others.", "queue log", ["expiredArtifactsRemoved version"]),
  ...differences("missing", "The event of the run has the reason.", "queue log", [
    "taskResolvedByWorkerRemoved fields/reason",
  ]),
];
