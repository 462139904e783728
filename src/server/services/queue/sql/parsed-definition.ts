// Reads members of a task's definition in the database.
import { sql, type Sql } from "../../../core/sql.ts";

/**
 * Returns a definition (JSON as text) as a value of the type json. PostgreSQL cannot read members of JSON that has a NUL
 * character or half of a surrogate pair anywhere, which are valid in JSON. They are replaced; other texts are not searched.
 */
export const parsedDefinition = (definition: Sql): Sql => sql`
  (case when strpos(${definition}, '\\u') = 0 then ${definition}
    else regexp_replace(${definition}, '\\\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\\\ufffd', 'g') end)::json`;
