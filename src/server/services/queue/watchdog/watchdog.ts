// The watchdog: looks whether what is always true of the database still is, a slice at a time; tells what it finds once,
// and puts right what can be put right safely.
import { column } from "../../../core/columns.ts";
import { isRetryable } from "../../../core/db-errors.ts";
import { timestamp, type QueueContext } from "../context.ts";
import type { RunOnce } from "../../../core/loop.ts";
import { recordReleased } from "../transition-log.ts";
import { createEnder, type Resolve } from "../resolution/end-runs.ts";
import {
  countOpen,
  endFindings,
  forgetFindings,
  keepPlace,
  readKnown,
  takeDue,
  writeFindings,
  type FindingRow,
} from "./store.ts";
import { MAX_WRONG, type Check, type CheckContext, type Verdict } from "./check.ts";
import { checks as allChecks } from "./checks.ts";

/** Findings that are told one by one in a round; of more only the number is told, and the endpoint has them. */
const TOLD = 10;
/** How long a finding that is over is kept. */
const KEPT = 7 * 86_400_000;

/** Something that should always hold does not. */
class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

/** The loop's round: a slice of each check that is due. */
export function watchdog(ctx: QueueContext, resolve: Resolve, checks: readonly Check[] = allChecks): RunOnce {
  const endPastDeadline = createEnder(ctx, "deadline-exceeded");
  return async () => {
    const now = ctx.clock.now();
    const { watchdogInterval } = ctx.config;
    const at = timestamp(ctx);
    const look: CheckContext = {
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
    const due = await takeDue(
      ctx.db,
      column(checks, "name"),
      at,
      new Date(now + watchdogInterval).toISOString(),
    );
    for (const { name, place } of due) {
      const check = checks.find((one) => one.name === name);
      if (check) await run(ctx, look, check, place);
    }
    if (due.length > 0) await countAll(ctx, checks, now);
    return { more: false };
  };
}

/** One slice of one check. A failure of one does not keep the others from running. */
async function run(ctx: QueueContext, look: CheckContext, check: Check, place: string): Promise<void> {
  try {
    const { place: next, wrong } = await check.look(look, place, ctx.config.watchdogSlice);
    const known = await readKnown(ctx.db, check.name, wrong, MAX_WRONG);
    if (wrong.length + known.length > 0) await judge(ctx, look, check, wrong, known);
    await keepPlace(ctx.db, check.name, next ?? "", look.at);
  } catch (err) {
    // A repair that lost a deadlock: the next pass meets the same again.
    if (!isRetryable(err)) ctx.monitor.reportError(err, { check: check.name });
  }
}

/** Confirms what looked wrong, repairs what can be, and writes and tells it. */
async function judge(
  ctx: QueueContext,
  look: CheckContext,
  check: Check,
  wrong: readonly string[],
  known: readonly FindingRow[],
): Promise<void> {
  const suspects = [...new Set([...wrong, ...column(known, "subject")])];
  const before = new Map(known.map((row) => [row.subject, row]));
  const isOpen = (subject: string): boolean => before.get(subject)?.ended === null;
  const { at } = look;
  // What passes by itself is judged only when it was met some time ago, and is still there.
  const since = Date.parse(look.ago(ctx.config.watchdogPatience));
  const ripe = (subject: string): boolean => {
    const row = before.get(subject);
    return row?.ended === null && (row.confirmed !== null || row.first_seen.getTime() <= since);
  };
  const judged = check.passing ? suspects.filter(ripe) : suspects;
  // Met, and not ripe: the clock runs. (Such a check looks from the beginning each time.)
  const young = check.passing ? wrong.filter((subject) => !ripe(subject)) : [];
  const verdicts = judged.length === 0 ? [] : await check.judge(look, judged);
  const guilty = new Set(column(verdicts, "subject"));
  await writeFindings(
    ctx.db,
    check.name,
    [
      ...verdicts.map((verdict) => ({ ...verdict, confirmed: true })),
      ...young.map((subject) => ({ subject, detail: "", confirmed: false, repaired: false })),
    ],
    at,
  );
  const over = suspects.filter(
    (subject) => isOpen(subject) && !guilty.has(subject) && !young.includes(subject),
  );
  if (over.length > 0) await endFindings(ctx.db, check.name, over, at);
  tell(
    ctx,
    check,
    verdicts.filter(({ subject }) => !isOpen(subject) || before.get(subject)?.confirmed === null),
  );
}

/** Says what was not known before: in the metrics, in the log, and where errors are reported. */
function tell(ctx: QueueContext, check: Check, verdicts: readonly Verdict[]): void {
  for (const [i, { subject, detail, repaired }] of verdicts.entries()) {
    ctx.metrics.invariantViolations.inc({ check: check.name, repaired: repaired ? "yes" : "no" });
    if (i >= TOLD) continue;
    const what = `${check.name}: ${subject} ${detail}; ${repaired ? "repaired" : "not repaired"}`;
    ctx.monitor.reportError(new InvariantViolation(what), { check: check.name, subject, repaired });
  }
  if (verdicts.length > TOLD)
    ctx.monitor.reportError(
      new InvariantViolation(
        `${check.name}: ${verdicts.length} findings in one round; GET /watchdog lists them`,
      ),
      { check: check.name },
    );
}

async function countAll(ctx: QueueContext, checks: readonly Check[], now: number): Promise<void> {
  const open = new Map((await countOpen(ctx.db)).map((row) => [row.check_name, row.open]));
  for (const { name } of checks)
    ctx.metrics.openInvariantViolations.set({ check: name }, open.get(name) ?? 0);
  await forgetFindings(ctx.db, new Date(now - KEPT).toISOString());
}
