// `taskyard auth history`.
import { UsageError } from "../cli-error.ts";
import { command } from "../command.ts";
import { localTime } from "../format.ts";
import { limitOf, pageOptions } from "../page-options.ts";
import { firstElements } from "../paginate.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";

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
    const changes = await firstElements(
      limit,
      (query) =>
        by === undefined
          ? auth.getEntityHistory({ entityType: entityType ?? "", entityId: entityId ?? "" }, { query })
          : auth.listAuditHistory({ clientId: by }, { query }),
      (page) => page.auditHistory,
    );
    return writeList(io, options.json, {
      name: "auditHistory",
      ...changes,
      header: ["TIME", "ACTION", "TYPE", "ID", "BY"],
      row: (entry) => [
        localTime(entry.created),
        entry.actionType,
        entry.entityType,
        entry.entityId,
        entry.clientId,
      ],
      none: "no changes in the last 30 days",
    });
  },
});
