// All checks of the watchdog, in the order in which they run.
import type { Check } from "./check.ts";
import { artifactRows } from "./checks/artifacts.ts";
import { dependents } from "./checks/dependents.ts";
import { definitionEvents, runEvents } from "./checks/events.ts";
import { groups } from "./checks/groups.ts";
import { pendingRuns, runningRuns } from "./checks/open-runs.ts";
import { claimOverdue, deadlineOverdue, removalOverdue } from "./checks/overdue.ts";
import { taskRows } from "./checks/task-rows.ts";

export const checks: readonly Check[] = [
  claimOverdue,
  deadlineOverdue,
  removalOverdue,
  pendingRuns,
  runningRuns,
  dependents,
  taskRows,
  groups,
  artifactRows,
  runEvents,
  definitionEvents,
];
