// The three forms of the scopes that creating tasks requires agree with each other.
import fc from "fast-check";
import { expect, it } from "vitest";
import { taskDefinition } from "../../../../../test/support/factories.ts";
import { createTaskScopes, createTasksScopes } from "../../../../api/queue/create-task-scopes.ts";
import { PRIORITIES, type Priority } from "../../../../api/queue/task.ts";
import { satisfiesExpression } from "../../../../lib/scopes/expression.ts";
import { renderScopes } from "../../../../lib/scopes/render.ts";
import { compileScopes, type ScopeSet } from "../../../../lib/scopes/scope-set.ts";
import type { ScopeExpression } from "../../../../lib/scopes/template.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { completeRequest, type CompleteTaskRequest } from "./complete-request.ts";
import { scopeParams, scopeParamsOfAll, scopesByMember } from "./task-scopes.ts";

const requests = fc
  .record({
    scopes: fc.subarray(["a", "b"]),
    routes: fc.subarray(["r.1", "r.2"]),
    projectId: fc.constantFrom("none", "p"),
    schedulerId: fc.constantFrom("-", "s"),
    priority: fc.constantFrom<Priority>("highest", "medium", "lowest"),
    taskQueueId: fc.constantFrom("x/y", "x/z"),
  })
  .map((members) => completeRequest(slugid(), taskDefinition(members)));

/** Sets of scopes that allow some of these requests. */
const held = fc
  .subarray(
    [
      "a",
      "b",
      "queue:route:r.*",
      "queue:route:r.1",
      "queue:create-task:project:*",
      "queue:create-task:project:none",
      "queue:scheduler-id:*",
      "queue:scheduler-id:-",
      ...PRIORITIES.flatMap((priority) =>
        ["y", "z"].map((type) => `queue:create-task:${priority}:x/${type}`),
      ),
    ],
    { minLength: 15 },
  )
  .map(compileScopes);

const satisfies = (scopes: ScopeSet, required: ScopeExpression | null): boolean =>
  required === null || satisfiesExpression(scopes, required);
const mayCreate = (scopes: ScopeSet, request: CompleteTaskRequest): boolean =>
  satisfies(scopes, renderScopes(createTaskScopes, scopeParams(request)));

it("a caller may create a task if it has one sufficient scope for each member", () => {
  fc.assert(
    fc.property(held, requests, (scopes, request) => {
      const lacking = [...scopesByMember(request)].filter(
        ({ sufficient }) => !sufficient.some((scope) => scopes.satisfies(scope)),
      );
      expect(lacking.length === 0).toBe(mayCreate(scopes, request));
    }),
  );
});

it("a caller may create tasks together if it may create each of them", () => {
  fc.assert(
    fc.property(held, fc.array(requests, { minLength: 1, maxLength: 4 }), (scopes, all) => {
      const together = renderScopes(createTasksScopes, scopeParamsOfAll(all, scopes));
      expect(satisfies(scopes, together)).toBe(all.every((request) => mayCreate(scopes, request)));
    }),
  );
});

it("a task of one priority may be created by callers that may create those of a higher one", () => {
  const prioritiesFor = (priority: Priority) =>
    scopeParams(completeRequest(slugid(), taskDefinition({ priority }))).priorities;
  expect(prioritiesFor("highest")).toEqual(["highest"]);
  expect(prioritiesFor("medium")).toEqual(["highest", "very-high", "high", "medium"]);
  expect(prioritiesFor("lowest")).toEqual(PRIORITIES);
});
