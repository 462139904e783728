// The message when a server cannot start because of its database: where it is, what is wrong, and what to do.
import pg from "pg";
import { outageOf } from "./db-errors.ts";

/** Returns the error to end the start with. `url` is that of the database; the message does not contain its password. */
export function databaseStartError(url: string, err: unknown): Error {
  const failures = err instanceof AggregateError ? err.errors : [err];
  const reason = failures.map((one) => (one instanceof Error ? one.message : String(one))).join("; ");
  const message =
    `Cannot start on the database ${describe(url)}: ${reason.replace(/\.$/, "")}. ` +
    (remedies.find(([applies]) => failures.some(applies))?.[1] ?? otherRemedy);
  return new Error(message, { cause: err });
}

/** Returns the parts of the URL as node-postgres uses them, including those that come from `PGHOST` and the like. */
function describe(url: string): string {
  const { host, port, database, user } = new pg.Client({ connectionString: url });
  return `"${database}" at ${host.startsWith("/") ? `${host}/.s.PGSQL.${port}` : `${host}:${port}`} as user "${user}"`;
}

const hasCode =
  (...codes: string[]) =>
  (err: unknown): boolean =>
    err instanceof Error && "code" in err && codes.includes(String(err.code));

const setting = "DATABASE_URL (or `database.url` in the configuration)";
const otherRemedy = `Check that PostgreSQL runs there and accepts connections from this machine, and correct ${setting} if that is not the right address.`;

const remedies: readonly (readonly [(err: unknown) => boolean, string])[] = [
  [
    hasCode("ENOTFOUND", "EAI_AGAIN"),
    `The name of the host is unknown: correct it in ${setting}, or check the name server of this machine.`,
  ],
  [hasCode("28P01"), `Correct the user and the password in ${setting}.`],
  [
    hasCode("28000"),
    `Allow this user to connect from this machine in pg_hba.conf of the server, or correct ${setting}.`,
  ],
  [hasCode("3D000"), `Create the database (createdb), or correct its name in ${setting}.`],
  [hasCode("57P03"), "PostgreSQL is starting or stopping. Start again when it accepts connections."],
  [
    hasCode("53300"),
    "All of its connections are in use. Raise max_connections of PostgreSQL, or lower `database.poolSize` of the server processes.",
  ],
  [
    (err) => outageOf(err) === "read-only",
    `A server needs the primary, and a database without default_transaction_read_only. Correct ${setting}, or start again after the fail-over.`,
  ],
  [(err) => outageOf(err) === "disk full", "Free or add space on the disk of PostgreSQL, then start again."],
];
