import Type from "typebox";
import { afterAll, beforeAll, expect, test } from "vitest";
import { claimOne, createTask } from "../../test/support/factories.ts";
import { testStack, type Stack } from "../../test/support/stack.ts";
import { sql } from "./core/sql.ts";
import { encryptedColumns } from "./core/service.ts";
import { services } from "./services.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack();
});
afterAll(() => stack.stop());

test("a task is created, claimed and completed", async () => {
  const taskId = await createTask(stack.client);
  const claim = await claimOne(stack.client);
  expect(claim.status.taskId).toBe(taskId);
  const worker = stack.as(claim.credentials);
  const { status } = await worker.queue.reportCompleted({ taskId, runId: "0" });
  expect(status).toMatchObject({ state: "completed", runs: [{ state: "completed", workerId: "worker" }] });
});

test("the root serves the version and the metrics", async () => {
  const version = await fetch(`${stack.rootUrl}/__version__`);
  expect(await version.json()).toMatchObject({ version: "0.1.0" });
  const metrics = await fetch(`${stack.rootUrl}/metrics`);
  expect(await metrics.text()).toContain(
    'http_requests_total{service="queue",name="createTask",method="PUT",status="200"}',
  );
});

test("every column that refers to the encryption keys is declared by a service, and has an index", async () => {
  const Reference = Type.Object({ column: Type.String(), named: Type.Boolean(), indexed: Type.Boolean() });
  const references = await stack.database.db.many(
    Reference,
    sql`
    select c.conrelid::regclass || '.' || regexp_replace(a.attname, '_key_id$', '') as column,
      c.conname ~ '_key_id_fkey$' as named,
      exists (select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1]) as indexed
    from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
    where c.confrelid = 'encryption_keys'::regclass order by 1`,
  );
  const declared = encryptedColumns(await services.load()).map(({ name }) => name);
  expect(references).toEqual(declared.toSorted().map((column) => ({ column, named: true, indexed: true })));
});
