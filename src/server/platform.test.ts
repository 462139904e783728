// The start of a server whose database cannot be used.
import { expect, onTestFinished, test } from "vitest";
import { setReadOnly } from "../../test/support/databases.ts";
import { testDatabase, type TestDatabase } from "../../test/support/db.ts";
import { testStack } from "../../test/support/stack.ts";

const start = async (database: Pick<TestDatabase, "url">): Promise<string> => {
  const attempt = testStack({ database: database as TestDatabase });
  return attempt.then(
    () => expect.unreachable("it started"),
    (err: Error) => err.message,
  );
};

const unreachable = "Check that PostgreSQL runs there and accepts connections from this machine";

test.each([
  [
    "nothing listens",
    "postgres://ann:hidden@127.0.0.1:1/tasks",
    `Cannot start on the database "tasks" at 127.0.0.1:1 as user "ann": connect ECONNREFUSED 127.0.0.1:1. ${unreachable}, and correct DATABASE_URL (or \`database.url\` in the configuration) if that is not the right address.`,
  ],
  [
    "there is no socket",
    "postgres://ann:hidden@/tasks?host=%2Fnowhere",
    `Cannot start on the database "tasks" at /nowhere/.s.PGSQL.5432 as user "ann": connect ENOENT /nowhere/.s.PGSQL.5432. ${unreachable}, and correct DATABASE_URL (or \`database.url\` in the configuration) if that is not the right address.`,
  ],
  [
    "the host is unknown",
    "postgres://ann:hidden@db.invalid:5433/tasks",
    expect.stringMatching(
      /^Cannot start on the database "tasks" at db\.invalid:5433 as user "ann": getaddrinfo E\w+ db\.invalid\. The name of the host is unknown: correct it in DATABASE_URL/,
    ),
  ],
])("says where the database is, what is wrong and what to do if %s", async (_, url, message) => {
  expect(await start({ url })).toEqual(message);
});

test("names every address that was tried", async () => {
  expect(await start({ url: "postgres://ann@localhost:1/tasks" })).toMatch(/ECONNREFUSED \S+:1/);
});

test("says that the database does not exist, or is read-only", async () => {
  const database = await testDatabase();
  onTestFinished(() => database.drop());
  expect(await start({ url: database.url.replace(/taskyard_template_\w+/, "missing") })).toMatch(
    /database "missing" does not exist\. Create the database \(createdb\), or correct its name/,
  );
  await setReadOnly(database.url, true);
  expect(await start(database)).toMatch(
    /the database accepts no writes\. A server needs the primary, .* or start again after the fail-over/,
  );
  await setReadOnly(database.url, false);
});
