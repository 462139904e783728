// The watchdog: a loop that checks the invariants of the database slice by slice, reports each violation once, and repairs
// what can be repaired safely.
import { column } from "../../../core/columns.ts";
import { isRetryable } from "../../../core/db-errors.ts";
import { isUnavailable } from "../../../core/outage.ts";
import { timestamp } from "../../../core/timestamp.ts";
import type { QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { recordReleased } from "../transition-log.ts";
import { createEndTask, type Resolve } from "../resolution/end-runs.ts";
import {
  countOpen,
  deleteEndedFindings,
  endFindings,
  readKnown,
  savePlace,
  takeDueChecks,
  writeFindings,
  type FindingRow,
} from "./store.ts";
import { MAX_SUSPECTS, type Check, type CheckContext, type Violation } from "./check.ts";
import { checks as allChecks } from "./checks.ts";

/** Violations of a check that are reported one by one per run. Of more, only the number is reported. */
const MAX_REPORTS = 10;
/** How long ended findings are kept. */
const RETENTION_MS = 7 * 86_400_000;

/** The database violates an invariant. */
class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

/** Returns the loop's function, which scans one slice for each check that is due. */
export function watchdog(ctx: QueueContext, resolve: Resolve, checks: readonly Check[] = allChecks): RunOnce {
  const endPastDeadline = createEndTask(ctx, "deadline-exceeded");
  return async () => {
    const now = ctx.clock.now();
    const { watchdogInterval } = ctx.config;
    const at = timestamp(ctx);
    const checkCtx: CheckContext = {
      db: ctx.db,
      config: ctx.config,
      get at() {
        return timestamp(ctx);
      },
      ago: (ms) => new Date(now - ms).toISOString(),
      resolve,
      endPastDeadline,
      recordReleased: (taskIds) => recordReleased(ctx, taskIds),
    };
    const due = await takeDueChecks(
      ctx.db,
      column(checks, "name"),
      at,
      new Date(now + watchdogInterval).toISOString(),
    );
    for (const { name, place } of due) {
      const check = checks.find((one) => one.name === name);
      if (check) await run(ctx, checkCtx, check, place);
    }
    if (due.length > 0) await updateGauges(ctx, checks, now);
    return { more: false };
  };
}

/** Runs one check on one slice. An error of one check does not stop the others. */
async function run(ctx: QueueContext, checkCtx: CheckContext, check: Check, place: string): Promise<void> {
  try {
    const { place: next, suspects } = await check.scan(checkCtx, place, ctx.config.watchdogSlice);
    const known = await readKnown(ctx.db, check.name, suspects, MAX_SUSPECTS);
    if (suspects.length + known.length > 0) await confirm(ctx, checkCtx, check, suspects, known);
    await savePlace(ctx.db, check.name, next ?? "", checkCtx.at);
  } catch (err) {
    // The other checks would fail too, so the whole iteration is repeated. A repair that lost a deadlock is only repeated in
    // the next pass.
    if (isUnavailable(err) && !isRetryable(err)) throw err;
    if (!isRetryable(err)) ctx.monitor.reportError(err, { check: check.name });
  }
}

/** Confirms and repairs the suspects and the known findings, then records and reports the violations. */
async function confirm(
  ctx: QueueContext,
  checkCtx: CheckContext,
  check: Check,
  suspects: readonly string[],
  known: readonly FindingRow[],
): Promise<void> {
  const subjects = [...new Set([...suspects, ...column(known, "subject")])];
  const before = new Map(known.map((row) => [row.subject, row]));
  const isOpen = (subject: string): boolean => before.get(subject)?.ended === null;
  const { at } = checkCtx;
  // A transient violation counts only if it was first seen some time ago and still exists.
  const since = Date.parse(checkCtx.ago(ctx.config.watchdogPatience));
  const isPersistent = (subject: string): boolean => {
    const row = before.get(subject);
    return row?.ended === null && (row.confirmed !== null || row.first_seen.getTime() <= since);
  };
  const toConfirm = check.transient ? subjects.filter(isPersistent) : subjects;
  // Recorded, so that their patience begins. (Such a check scans everything each time.)
  const recent = check.transient ? suspects.filter((subject) => !isPersistent(subject)) : [];
  const violations = toConfirm.length === 0 ? [] : await check.confirm(checkCtx, toConfirm);
  const confirmed = new Set(column(violations, "subject"));
  await writeFindings(
    ctx.db,
    check.name,
    [
      ...violations.map((violation) => ({ ...violation, confirmed: true })),
      ...recent.map((subject) => ({ subject, detail: "", confirmed: false, repaired: false })),
    ],
    at,
  );
  const ended = subjects.filter(
    (subject) => isOpen(subject) && !confirmed.has(subject) && !recent.includes(subject),
  );
  if (ended.length > 0) await endFindings(ctx.db, check.name, ended, at);
  report(
    ctx,
    check,
    violations.filter(({ subject }) => !isOpen(subject) || before.get(subject)?.confirmed === null),
  );
}

/** Reports new violations: in the metrics, the log, and the error reports. */
function report(ctx: QueueContext, check: Check, violations: readonly Violation[]): void {
  for (const [i, { subject, detail, repaired }] of violations.entries()) {
    ctx.metrics.invariantViolations.inc({ check: check.name, repaired: repaired ? "yes" : "no" });
    if (i >= MAX_REPORTS) continue;
    const message = `${check.name}: ${subject} ${detail}; ${repaired ? "repaired" : "not repaired"}`;
    ctx.monitor.reportError(new InvariantViolation(message), { check: check.name, subject, repaired });
  }
  if (violations.length > MAX_REPORTS)
    ctx.monitor.reportError(
      new InvariantViolation(
        `${check.name}: ${violations.length} findings in one run; GET /watchdog lists them`,
      ),
      { check: check.name },
    );
}

/** Updates the gauges of open findings, and deletes findings that ended long ago. */
async function updateGauges(ctx: QueueContext, checks: readonly Check[], now: number): Promise<void> {
  const open = new Map((await countOpen(ctx.db)).map((row) => [row.check_name, row.open]));
  for (const { name } of checks)
    ctx.metrics.openInvariantViolations.set({ check: name }, open.get(name) ?? 0);
  await deleteEndedFindings(ctx.db, new Date(now - RETENTION_MS).toISOString());
}
