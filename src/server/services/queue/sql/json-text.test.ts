// JSON that SQL joins without escaping is valid only because the contract keeps quotes, backslashes and control characters
// out of the values. A member whose pattern allows them must be escaped (`to_json(…)::text`) where it is joined.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { TSchema } from "typebox";
import { describe, expect, it } from "vitest";
import { queueApi } from "../../../../api/queue/index.ts";
import { RUN_STATES, TaskStatus } from "../../../../api/queue/status.ts";
import { TaskDefinitionRequest } from "../../../../api/queue/task.ts";

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** The JSON Schema of a TypeBox schema, whose type does not have all of its members. */
const plain = (schema: TSchema): Schema => JSON.parse(JSON.stringify(schema)) as Schema;

const unsafe = ['"', "\\", "\n", "\0"];

/** Reports whether no string that the schema accepts needs escaping. Times are formatted by the function `iso`. */
function isSafe({ enum: values, pattern, format }: Schema): boolean {
  if (values) return values.every((value) => JSON.stringify(value) === `"${String(value)}"`);
  if (pattern === undefined) return format === "date-time";
  const accepts = new RegExp(pattern);
  const acceptable = fc.sample(fc.stringMatching(accepts), 50);
  return acceptable.every((text) => {
    if (!accepts.test(text)) throw new Error(`${pattern} does not match its own sample ${text}`);
    const places = Array.from({ length: text.length + 1 }, (_, i) => i);
    return places.every((i) =>
      unsafe.every((char) => !accepts.test(text.slice(0, i) + char + text.slice(i))),
    );
  });
}

/** The paths of all strings in a schema that could need escaping. */
function unsafeStrings(schema: Schema, path = ""): string[] {
  if (schema.type === "string") return isSafe(schema) ? [] : [path];
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, member]) =>
      unsafeStrings(member, `${path}/${name}`),
    ),
    ...(schema.items ? unsafeStrings(schema.items, `${path}[]`) : []),
  ];
}

describe("the check", () => {
  it("finds patterns that allow quotes, backslashes or control characters", () => {
    expect(isSafe({ pattern: "^[a-z]+$" })).toBe(true);
    for (const pattern of ["^[ -~]*$", "^[a-z]+", "[a-z]+$", '^[^"]*$', "^https?://"])
      expect({ pattern, safe: isSafe({ pattern }) }).toEqual({ pattern, safe: false });
    expect([isSafe({}), isSafe({ enum: ['"'] }), isSafe({ enum: ["a"] })]).toEqual([false, false, true]);
    const found = unsafeStrings(plain(TaskDefinitionRequest));
    expect(found).toContain("/metadata/description");
    expect(found).not.toContain("/taskQueueId");
  });
});

describe("JSON that the database builds", () => {
  const { createTask, claimWork, claimTask } = queueApi.endpoints;
  const fromPattern = (pattern: RegExp): Schema => ({ pattern: pattern.source });
  const task = plain(createTask.body.schema).properties ?? {};
  const workers = [claimWork, claimTask].map(({ body }) => plain(body.schema).properties ?? {});
  const run = plain(TaskStatus.properties.runs.items).properties ?? {};
  /** The inputs that columns and parameters come from. */
  const inputs: Readonly<Record<string, readonly (Schema | undefined)[]>> = {
    task_id: [fromPattern(createTask.params.taskId)],
    task_queue_id: [task["taskQueueId"], task["provisionerId"], task["workerType"]],
    scheduler_id: [task["schedulerId"]],
    project_id: [task["projectId"]],
    task_group_id: [task["taskGroupId"]],
    worker_group: workers.map((body) => body["workerGroup"]),
    worker_id: workers.map((body) => body["workerId"]),
    state: [{ enum: RUN_STATES }, { enum: ["unscheduled"] }],
    reason_created: [run["reasonCreated"]],
    reason_resolved: [run["reasonResolved"]],
  };

  it.each(Object.entries(inputs))("is valid with any %s that the contract accepts", (_name, schemas) => {
    for (const schema of schemas) {
      expect(schema).toBeDefined();
      expect(schema && isSafe(schema)).toBe(true);
    }
  });

  it("joins no other columns as strings", () => {
    const functions = readFileSync(new URL("../../../db/functions/queue-json.sql", import.meta.url), "utf8");
    const joined = [...functions.matchAll(/"' \|\| ((?:\w+\()?)(?:\w\.)?(\w+)/g)].map(
      ([, call = "", name = ""]) => ({
        call: call.slice(0, -1),
        name,
      }),
    );
    // Their results are names of priorities and times.
    const columns = joined.filter(({ call }) => call !== "priority_name" && call !== "iso");
    expect(columns.length).toBeGreaterThan(15);
    expect(new Set(columns.map(({ name }) => name))).toEqual(new Set(Object.keys(inputs)));
  });

  it("matches schemas whose strings need no escaping", () => {
    expect(unsafeStrings(plain(TaskStatus))).toEqual([]);
    const { taskGroupSealed, taskGroupResolved, taskPriorityChanged } = queueApi.exchanges;
    for (const { message } of [taskGroupSealed, taskGroupResolved, taskPriorityChanged])
      expect(unsafeStrings(plain(message.schema))).toEqual([]);
  });
});
