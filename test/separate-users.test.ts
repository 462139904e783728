import { expect, test } from "vitest";
import { candidates as databaseUsers } from "../src/server/core/embedded-postgres/system-user.ts";
import { candidates as taskUsers } from "../src/worker/engines/native/task-user.ts";

test("tasks never run as the user of the embedded PostgreSQL, whose files and socket they could use", () => {
  expect(taskUsers.filter((name) => databaseUsers.includes(name))).toEqual([]);
});
