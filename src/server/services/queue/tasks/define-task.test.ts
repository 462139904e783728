import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { taskDefinition } from "../../../../../test/support/factories.ts";
import { PRIORITIES, type TaskDefinition, type TaskDefinitionRequest } from "../../../../api/queue/task.ts";
import { ApiError } from "../../../../lib/errors.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { parseJson } from "../../../core/json.ts";
import { completeRequest, type TaskQueue } from "./complete-request.ts";
import { defineTask } from "./define-task.ts";

const now = Date.UTC(2026, 1, 3, 12);
const minute = 60_000;
const day = 24 * 60 * minute;
const rules = { now, toleranceMs: 15 * minute, maxDeadlineMs: 5 * day, maxDependencies: 3 };
const at = (ms: number): string => new Date(ms).toISOString();
const taskId = slugid();

const define = (overrides: Partial<TaskDefinitionRequest> = {}) =>
  defineTask(completeRequest(taskId, { ...taskDefinition({}, now), ...overrides }), rules);
const definitionOf = (overrides: Partial<TaskDefinitionRequest> = {}): TaskDefinition =>
  parseJson(define(overrides).definition);

/** Returns the message of the refusal; throws if the definition is accepted. */
function refusalOf(overrides: Partial<TaskDefinitionRequest>): string {
  try {
    define(overrides);
  } catch (err) {
    expect(err).toMatchObject({ name: "ApiError", code: "InputError", statusCode: 400 });
    return (err as Error).message;
  }
  throw new Error("the definition was accepted");
}

describe("a definition", () => {
  it("receives every member, with the documented defaults", () => {
    const { metadata } = taskDefinition();
    const given = { taskQueueId: "a/b", created: at(now), deadline: at(now), payload: { x: 1 }, metadata };
    const task = defineTask(completeRequest(taskId, given), rules);
    expect(parseJson(task.definition)).toEqual({
      provisionerId: "a",
      workerType: "b",
      taskQueueId: "a/b",
      schedulerId: "-",
      projectId: "none",
      taskGroupId: taskId,
      dependencies: [],
      requires: "all-completed",
      routes: [],
      priority: "lowest",
      retries: 5,
      created: at(now),
      deadline: at(now),
      expires: "2027-02-03T12:00:00.000Z",
      scopes: [],
      payload: { x: 1 },
      metadata,
      tags: {},
      extra: {},
    });
    expect(task).toMatchObject({ taskId, priority: 1, retries: 5, anyResolution: false, tags: "{}" });
  });

  it("is stable: defining a task from its stored definition produces the same text", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 20 });
    const bodies = fc.record(
      {
        schedulerId: fc.constantFrom("-", "taskcluster-ui"),
        projectId: fc.constantFrom("none", "a/b.c"),
        taskGroupId: fc.constant(slugid()),
        dependencies: fc.uniqueArray(fc.constantFrom(slugid(), slugid(), slugid())),
        requires: fc.constantFrom("all-completed" as const, "all-resolved" as const),
        routes: fc.uniqueArray(text.filter((route) => route !== "")),
        priority: fc.constantFrom(...PRIORITIES),
        retries: fc.integer({ min: 0, max: 49 }),
        created: fc
          .date({ min: new Date(now - 15 * minute), max: new Date(now), noInvalidDate: true })
          .map(String),
        expires: fc.constantFrom(at(now + day), "2026-02-04T12:00:00.123456+02:00"),
        scopes: fc.array(fc.constantFrom("a", "b*", "c:*:d")),
        payload: fc.dictionary(text, fc.jsonValue({ maxDepth: 3 })),
        tags: fc.dictionary(text, text),
        extra: fc.dictionary(text, fc.jsonValue({ maxDepth: 3 })),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(bodies, (body) => {
        const first = define(body);
        const again = defineTask(completeRequest(taskId, parseJson(first.definition)), rules);
        expect(again).toEqual(first);
      }),
    );
  });

  it("keeps payload and extra unchanged", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), (json) => {
        const payload = { json: JSON.parse(json) as unknown };
        expect(define({ payload, extra: payload }).definition).toContain(
          `"extra":${JSON.stringify(payload)}`,
        );
        expect(define({ payload }).definition).toContain(`"payload":${JSON.stringify(payload)}`);
      }),
    );
  });
});

describe("the task queue", () => {
  const queueOf = (parts: Partial<TaskQueue>) => {
    const { taskQueueId: _, ...withoutQueue } = taskDefinition();
    return completeRequest(taskId, { ...withoutQueue, ...parts }).taskQueue;
  };
  const queue = { taskQueueId: "a/b", provisionerId: "a", workerType: "b" };

  it("may be named by its id, by its halves or by both", () => {
    expect(queueOf({ taskQueueId: "a/b" })).toEqual(queue);
    expect(queueOf({ provisionerId: "a", workerType: "b" })).toEqual(queue);
    expect(queueOf(queue)).toEqual(queue);
  });

  it("is the one that the id names if only one half is given beside it", () => {
    expect(queueOf({ taskQueueId: "a/b", provisionerId: "other" })).toEqual(queue);
    expect(queueOf({ taskQueueId: "a/b", workerType: "other" })).toEqual(queue);
  });

  it("is refused if id and halves disagree, or neither is complete", () => {
    const { taskQueueId: _, ...withoutQueue } = taskDefinition({}, now);
    for (const [parts, message] of [
      [
        { ...queue, workerType: "c" },
        'taskQueueId must match "provisionerId/workerType": taskQueueId is "a/b", but the other two say "a/c". Give only taskQueueId, or make them agree.',
      ],
      ...[{}, { provisionerId: "a" }, { workerType: "b" }].map(
        (half) =>
          [
            half,
            "The definition names no task queue: give taskQueueId, or both provisionerId and workerType.",
          ] as const,
      ),
    ] as const) {
      expect(queueOf(parts)).toEqual({ path: "taskQueueId", message });
      const request = completeRequest(taskId, { ...withoutQueue, ...parts });
      expect(() => defineTask(request, rules)).toThrow(new ApiError("InputError", message));
    }
  });
});

describe("the dates", () => {
  it("are converted to UTC with milliseconds", () => {
    expect(
      definitionOf({
        created: "2026-02-03T13:00:00+01:00",
        deadline: "2026-02-03T12:30:00.123987Z",
        expires: "2026-02-04T00:00:00-00:30",
      }),
    ).toMatchObject({
      created: "2026-02-03T12:00:00.000Z",
      deadline: "2026-02-03T12:30:00.123Z",
      expires: "2026-02-04T00:30:00.000Z",
    });
  });

  it("may be exactly at their limits", () => {
    const edges: Partial<TaskDefinitionRequest>[] = [
      { created: at(now - 15 * minute) },
      { created: at(now + 15 * minute), deadline: at(now + 15 * minute), expires: at(now + 15 * minute) },
      { created: at(now), deadline: at(now), expires: at(now) },
      { deadline: at(now + 5 * day + 15 * minute), expires: at(now + 6 * day) },
      { expires: "9998-12-31T23:59:59.999Z" },
    ];
    for (const dates of edges) expect(definitionOf(dates)).toMatchObject(dates);
  });

  it.each([
    [
      { created: at(now - 15 * minute - 1) },
      "created (2026-02-03T11:44:59.999Z) cannot be more than 15 minutes in the past; it is 2026-02-03T12:00:00.000Z here.",
    ],
    [
      { created: at(now + 15 * minute + 1) },
      "created (2026-02-03T12:15:00.001Z) cannot be more than 15 minutes in the future; it is 2026-02-03T12:00:00.000Z here.",
    ],
    [
      { created: at(now + 1), deadline: at(now) },
      "deadline (2026-02-03T12:00:00.000Z) cannot be before created (2026-02-03T12:00:00.001Z).",
    ],
    [
      { created: at(now - 2), deadline: at(now - 1) },
      "deadline (2026-02-03T11:59:59.999Z) cannot be in the past; it is 2026-02-03T12:00:00.000Z here.",
    ],
    [
      { deadline: at(now + 5 * day + 15 * minute + 1) },
      "deadline (2026-02-08T12:15:00.001Z) cannot be more than 5 days in the future.",
    ],
    [
      { deadline: at(now + minute), expires: at(now + minute - 1) },
      "expires (2026-02-03T12:00:59.999Z) cannot be before deadline (2026-02-03T12:01:00.000Z).",
    ],
    [
      { expires: "9999-12-31T23:59:59-15:59" },
      "expires (9999-12-31T23:59:59-15:59) must be before the year 9999.",
    ],
  ])("are refused outside their limits or in the wrong order: %o", (dates, message) => {
    expect(refusalOf(dates)).toBe(message);
  });

  it("default to one calendar year after the deadline, also from a leap day", () => {
    const leapDay = Date.UTC(2028, 1, 29, 12);
    const { expires: _, ...body } = taskDefinition({ deadline: at(leapDay) }, leapDay);
    const task = defineTask(completeRequest(taskId, body), { ...rules, now: leapDay });
    expect(task.expires).toBe("2029-03-01T12:00:00.000Z");
  });
});

describe("priorities", () => {
  it("are stored as numbers from 1 (lowest) to 7", () => {
    expect(PRIORITIES.map((priority) => define({ priority }).priority)).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });
});

describe("dependencies", () => {
  it("are limited by the server's configuration", () => {
    const dependencies = [slugid(), slugid(), slugid()];
    expect(define({ dependencies }).dependencies).toEqual(dependencies);
    expect(refusalOf({ dependencies: [...dependencies, slugid()] })).toBe(
      "The task has 4 dependencies, and may have no more than 3 here.",
    );
  });
});

describe("scopes and routes", () => {
  it("of the task may not end in two stars, which is never intended", () => {
    expect(refusalOf({ scopes: ["fine*", "a**:b", "bad:**"] })).toBe(
      'scopes[2] ("bad:**") ends in "**", which is never meant: a single "*" at the end matches everything.',
    );
  });

  it("that a routing key cannot carry are refused, also by their length in bytes", () => {
    const longest = "é".repeat(124) + "x";
    expect(define({ routes: [longest] }).routes).toEqual([longest]);
    expect(refusalOf({ routes: ["ok", `${longest}x`] })).toBe(
      `routes[1] ("${longest}x") takes 250 bytes in UTF-8, and may take no more than 249.`,
    );
    for (const bad of ["a\0b", "\ud800", "a\udc00"])
      expect(refusalOf({ routes: [bad] })).toBe(
        `routes[0] (${JSON.stringify(bad)}) contains a character that cannot be sent: NUL, or half of a surrogate pair.`,
      );
    expect(define({ routes: ["😀"] }).routes).toEqual(["😀"]);
  });
});
