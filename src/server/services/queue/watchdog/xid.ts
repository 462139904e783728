// Transactions by the numbers that rows carry.
import { sql, type Sql } from "../../../core/sql.ts";

/**
 * The whole id (xid8) of a transaction of which a row has the lower 32 bits (xmin, xmax): counted back from the next id
 * that will be assigned, which is what age() tells the distance to. Right for the last two billion transactions.
 */
export const fullXid = (xid: Sql): Sql => sql`(
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint
          + age(pg_snapshot_xmax(pg_current_snapshot())::xid) - age(${xid})
      )::text::xid8`;
