import { expect, expectTypeOf, test } from "vitest";
import { services } from "../api/services.ts";
import { events, queueEvents, type PayloadOf } from "./bindings.ts";
import type { EventOf } from "./event-stream.ts";

test("given words are at their positions, and missing words match anything", () => {
  expect(queueEvents.taskCompleted({ taskId: "T", provisionerId: "proj", runId: 0 })).toEqual({
    exchange: "exchange/taskcluster-queue/v1/task-completed",
    routingKeyPattern: "primary.T.0.*.*.proj.*.*.*.#",
  });
  expect(queueEvents.taskGroupResolved()).toEqual({
    exchange: "exchange/taskcluster-queue/v1/task-group-resolved",
    routingKeyPattern: "primary.*.*.#",
  });
});

test("a complete pattern is used verbatim", () => {
  expect(queueEvents.taskFailed("route.index.proj.#").routingKeyPattern).toBe("route.index.proj.#");
});

test("an unknown word is refused with a suggestion", () => {
  // @ts-expect-error -- refused by the compiler and at run time
  expect(() => queueEvents.taskPending({ taskid: "T" })).toThrow(
    "the routing key of taskPending has no word taskid: use taskId",
  );
  // @ts-expect-error -- not a word of this exchange
  expect(() => queueEvents.taskGroupResolved({ worker: "w" })).toThrow(
    "use one of routingKeyKind, taskGroupId, schedulerId, reserved",
  );
});

test("events have the payload type of their binding", () => {
  const bindings = [queueEvents.taskRunning(), queueEvents.taskGroupResolved()] as const;
  expectTypeOf<PayloadOf<(typeof bindings)[0]>["takenUntil"]>().toEqualTypeOf<string>();
  type Received = EventOf<(typeof bindings)[number]>;
  expectTypeOf<Received["exchange"]>().toEqualTypeOf<
    "exchange/taskcluster-queue/v1/task-running" | "exchange/taskcluster-queue/v1/task-group-resolved"
  >();
  const idOf = (event: Received): string =>
    event.exchange === "exchange/taskcluster-queue/v1/task-running"
      ? event.payload.workerId
      : event.payload.taskGroupId;
  expect(idOf).toBeTypeOf("function");
});

test("every service of the contract has its events", () => {
  expect(Object.keys(events).toSorted()).toEqual(Object.keys(services).toSorted());
  expect(events.queue).toBe(queueEvents);
});
