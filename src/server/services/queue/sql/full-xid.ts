// Transaction ids as rows carry them.
import { sql, type Sql } from "../../../core/sql.ts";

/**
 * The full id (xid8) of a transaction of which a row has the lower 32 bits (xmin, xmax): counted back from the next id
 * to be assigned, to which age() returns the distance. Correct for the last two billion transactions.
 */
export const fullXid = (xid: Sql): Sql => sql`(
        pg_snapshot_xmax(pg_current_snapshot())::text::bigint
          + age(pg_snapshot_xmax(pg_current_snapshot())::xid) - age(${xid})
      )::text::xid8`;
