// Measures PostgreSQL alone: pgbench runs the statements of the hot calls, with the same text on the same database,
// without a server in between. Each statement has as many tasks as the server puts into one under load.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { steadyPlans, type Queryable } from "../src/server/core/db.ts";
import type { Sql } from "../src/server/core/sql.ts";
import { completeRequest } from "../src/server/services/queue/tasks/complete-request.ts";
import { defineTask } from "../src/server/services/queue/tasks/define-task.ts";
import { claimPending, QUEUE_START } from "../src/server/services/queue/claims/store/claim-pending.ts";
import { insertTasks } from "../src/server/services/queue/tasks/store/insert-tasks.ts";
import type { TaskDefinitionRequest } from "../src/api/queue/task.ts";
import { around } from "./measure.ts";
import type { Bench } from "./queue-calls.ts";
import { rate, figureText, type Row } from "./row.ts";
import { warmUp } from "./scenarios.ts";
import { head, lines } from "./table.ts";
import { benchTask } from "./tasks.ts";
import { createConcurrently } from "./throughput.ts";

const BATCH = 22;
const QUEUE = "bench/limit";
const SECONDS = 8;

export async function databaseLimit(
  bench: Bench,
  { databaseUrl, rounds }: { readonly databaseUrl: string; readonly rounds: number },
): Promise<void> {
  const pgbench = findPgbench();
  if (pgbench === undefined) {
    console.log("pgbench is not installed (Debian: package postgresql-15), so the limit was not measured");
    return;
  }
  await warmUp(bench);
  const dir = mkdtempSync(join(tmpdir(), "taskyard-pgbench-"));
  try {
    const create = join(dir, "create.sql");
    writeFileSync(create, await createScript());
    const claim = join(dir, "claim.sql");
    writeFileSync(claim, await claimScript());
    const rows: Row[][] = [];
    for (let round = 0; round < rounds; round++)
      rows.push([
        await run("statement of createTask", create),
        await run("statement of claimWork, after that", claim),
        await createConcurrently(bench, "bench/served"),
      ]);
    console.log(
      `pgbench, 2 connections, ${BATCH} tasks per statement; last row: the server in the same run:\n`,
    );
    console.log([head, ...lines(rows)].join("\n"));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }

  async function run(measure: string, script: string): Promise<Row> {
    const options = ["-n", "-M", "prepared", "-c", "2", "-T", String(SECONDS), "-f", script];
    let done = 0;
    const m = await around(bench.serverPid, 1, [], async () => {
      const { stdout } = await promisify(execFile)(pgbench ?? "", [...options, databaseUrl], {
        env: { ...process.env, PGOPTIONS: steadyPlans.map((setting) => `-c ${setting}`).join(" ") },
      });
      done = Number(/transactions actually processed: (\d+)/.exec(stdout)?.[1] ?? 0) * BATCH;
    });
    const figure = rate({ ...m, calls: done, seconds: SECONDS }, " tasks/s");
    return { measure, goal: "–", result: figureText(figure), figure, cpu: { ...m.cpu, calls: done } };
  }
}

function findPgbench(): string | undefined {
  const versions = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql") : [];
  const places = [
    ...(process.env["PATH"] ?? "").split(":").map((dir) => join(dir, "pgbench")),
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin/pgbench`),
  ];
  return places.find((file) => existsSync(file));
}

/** Returns the statement that `call` would run. */
async function statementOf(call: (db: Queryable) => Promise<unknown>): Promise<Sql> {
  let statement: Sql | undefined;
  const keep = async (query: Sql): Promise<never[]> => {
    statement = query;
    return [];
  };
  await call({
    many: (_row, query) => keep(query),
    maybeOne: async (_row, query) => (await keep(query))[0],
    run: async (query) => (await keep(query)).length,
  });
  if (!statement) throw new Error("the call ran no statement");
  return statement;
}

const at = (): string => new Date().toISOString();

async function createScript(): Promise<string> {
  const now = Date.now();
  const rules = { now, toleranceMs: 9e5, maxDeadlineMs: 4e8, maxDependencies: 1 };
  const tasks = Array.from({ length: BATCH }, () => {
    const { taskId, definition } = benchTask(QUEUE);
    // benchTask returns what the schema of createTask requires.
    return defineTask(completeRequest(taskId, definition as TaskDefinitionRequest), rules);
  });
  const statement = await statementOf((db) => insertTasks(db, tasks, at(), 3_600_000));
  const ids = tasks.map((task) => task.taskId);
  // Replaces the task ids by random ones, so that each execution creates new tasks.
  const fresh = `(select array_agg('bench' || lpad((:n)::text, 12, '0') || lpad(i::text, 5, '0')) from generate_series(1, ${BATCH}) i)`;
  const isIds = (value: unknown): boolean => Array.isArray(value) && value.every((v, i) => v === ids[i]);
  const filled = fill(statement, (value) => (isIds(value) ? fresh : undefined));
  return `\\set n random(1, 999999999999)\n${filled};\n`;
}

async function claimScript(): Promise<string> {
  const claimer = { workerGroup: "bench", workerId: "limit", claimId: null, tasks: BATCH };
  const statement = await statementOf((db) => claimPending(db, QUEUE, [claimer], QUEUE_START, at(), at()));
  return `${fill(statement, () => undefined)};\n`;
}

/** Returns the text with its parameters filled in; `own` may return an expression to use instead of a value. */
const fill = ({ text, values }: Sql, own: (value: unknown) => string | undefined): string =>
  text
    .replaceAll(/--[^\n]*/g, "")
    .replaceAll(/\$(\d+)/g, (_, n: string) => own(values[Number(n) - 1]) ?? literal(values[Number(n) - 1]))
    .replaceAll(/\s*\n\s*/g, " ");

/** The parameters of these statements are strings, numbers, booleans, nulls, and lists of them. */
function literal(value: unknown): string {
  if (value === null || typeof value === "number") return String(value);
  if (!Array.isArray(value)) return quoted(JSON.stringify(value).replaceAll(/^"|"$/g, ""));
  const elements = value.map((v) => (v === null ? "null" : `"${String(v).replaceAll(/(["\\])/g, "\\$1")}"`));
  return quoted(`{${elements.join(",")}}`);
}

/** pgbench replaces `:name` by a variable even inside quotes, so colons are escaped. */
const quoted = (text: string): string =>
  `E'${text.replaceAll("\\", "\\\\").replaceAll("'", "''").replaceAll(":", "\\x3a")}'`;
