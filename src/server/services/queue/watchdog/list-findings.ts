// watchdog: lists the checks and their findings.
import { watchdogEndpoints } from "../../../../api/queue/endpoints/watchdog.ts";
import type { Caller } from "../../../core/caller.ts";
import { decodePage, pageOf, type PageQuery } from "../../../core/pagination.ts";
import type { QueueContext } from "../context.ts";
import { countOpen, readFindings, readPassed, type FindingRow } from "./store.ts";
import { checks } from "./checks.ts";

const PAGE = 1000;

export const listFindings = (ctx: Pick<QueueContext, "db">) => async (caller: Caller, page: PageQuery) => {
  caller.authorize(watchdogEndpoints.watchdog, {});
  const { after, limit } = decodePage(page, PAGE);
  // The token is `<check> <subject>`. Names of checks have no spaces; a subject with an artifact's name may.
  const space = after.indexOf(" ");
  const last = { checkName: space < 0 ? after : after.slice(0, space), subject: after.slice(space + 1) };
  const [found, passed, open] = await Promise.all([
    readFindings(ctx.db, space < 0 ? { ...last, subject: "" } : last, limit + 1),
    readPassed(ctx.db),
    countOpen(ctx.db),
  ]);
  const { rows, more } = pageOf(found, limit, (row) => `${row.check_name} ${row.subject}`);
  return {
    checks: checks.map(({ name, means, repair }) => {
      const when = passed.find((row) => row.name === name)?.passed;
      return {
        name,
        means,
        ...(repair !== undefined && { repair }),
        ...(when && { passed: when.toISOString() }),
        open: open.find((row) => row.check_name === name)?.open ?? 0,
      };
    }),
    findings: rows.map(findingOf),
    ...more,
  };
};

const findingOf = (row: FindingRow) => ({
  check: row.check_name,
  subject: row.subject,
  detail: row.detail,
  firstSeen: row.first_seen.toISOString(),
  lastSeen: row.last_seen.toISOString(),
  ...(row.repaired && { repaired: row.repaired.toISOString() }),
  ...(row.ended && { ended: row.ended.toISOString() }),
});
