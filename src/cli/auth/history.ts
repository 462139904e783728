// `taskyard auth history`.
import { exitStatus, UsageError } from "../cli-error.ts";
import { command } from "../command.ts";
import { localTime } from "../format.ts";
import { writeJson, writeLine } from "../io.ts";
import { firstElements } from "../paginate.ts";
import { writeTable } from "../table.ts";
import { connectTarget } from "../target.ts";
import { limitOf, pageOptions } from "./clients.ts";

export const historyCommand = command({
  name: "auth history",
  summary: "Show who changed a client, role or secret, or what a client changed.",
  details: [
    "Shows the changes of the last 30 days, newest first. TYPE is client, role, secret, worker-pool or hook.",
  ],
  args: [
    { name: "TYPE", optional: true },
    { name: "ID", optional: true },
  ],
  options: {
    by: {
      type: "value",
      value: "CLIENT_ID",
      summary: "Show what this client changed, in place of TYPE and ID.",
    },
    ...pageOptions,
  },
  examples: [
    { command: "taskyard auth history role project:app", description: "Show who changed a role." },
    { command: "taskyard auth history --by ci/admin", description: "Show what a client changed." },
  ],
  async run({ options, args: [entityType, entityId], io }) {
    const { by } = options;
    const limit = limitOf(options);
    if ((by === undefined) === (entityType === undefined))
      throw new UsageError("auth history needs to know of what: use TYPE and ID, or --by CLIENT_ID");
    if (entityType !== undefined && entityId === undefined)
      throw new UsageError(`auth history needs ID: which ${entityType}?`);
    const { auth } = await connectTarget(io);
    const { found: auditHistory, goesOn } = await firstElements(
      limit,
      (query) =>
        by === undefined
          ? auth.getEntityHistory({ entityType: entityType ?? "", entityId: entityId ?? "" }, { query })
          : auth.listAuditHistory({ clientId: by }, { query }),
      (page) => page.auditHistory,
    );
    if (options.json) {
      writeJson(io.stdout, { auditHistory });
      return exitStatus.ok;
    }
    const rows = auditHistory.map((entry) => [
      localTime(entry.created),
      entry.actionType,
      entry.entityType,
      entry.entityId,
      entry.clientId,
    ]);
    if (rows.length === 0) writeLine(io.stderr, "no changes in the last 30 days");
    else writeTable(io.stdout, ["TIME", "ACTION", "TYPE", "ID", "BY"], rows);
    if (goesOn) writeLine(io.stderr, "… and possibly more: use --limit or --all");
    return exitStatus.ok;
  },
});
