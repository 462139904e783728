// An invariant that changes of priorities must keep.
import Type from "typebox";
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";

const Row = Type.Object({ task_id: Type.String() });

/** Returns the tasks whose pending run or definition has a priority other than that of the task. */
export const priorityMismatches = (db: Db): Promise<{ task_id: string }[]> =>
  db.many(
    Row,
    sql`
    select t.task_id from tasks t
    left join runs r on r.task_id = t.task_id and r.run_id = t.run_count - 1 and r.state = 'pending'
    left join task_definitions d on d.task_id = t.task_id
    where r.priority <> t.priority or d.definition::json ->> 'priority' <> priority_name(t.priority)`,
  );
