import { expect, expectTypeOf, test } from "vitest";
import { queueEvents, type PayloadOf } from "./bindings.ts";
import type { EventOf } from "./event-stream.ts";

test("words stand at their places, and what is not said may be anything", () => {
  expect(queueEvents.taskCompleted({ taskId: "T", provisionerId: "proj", runId: 0 })).toEqual({
    exchange: "exchange/taskcluster-queue/v1/task-completed",
    routingKeyPattern: "primary.T.0.*.*.proj.*.*.*.#",
  });
  expect(queueEvents.taskGroupResolved()).toEqual({
    exchange: "exchange/taskcluster-queue/v1/task-group-resolved",
    routingKeyPattern: "primary.*.*.#",
  });
});

test("a pattern of one's own is taken as it is", () => {
  expect(queueEvents.taskFailed("route.index.proj.#").routingKeyPattern).toBe("route.index.proj.#");
});

test("a word that the routing key does not have is refused, with the one that was meant", () => {
  // @ts-expect-error -- what the compiler refuses is refused at run time too
  expect(() => queueEvents.taskPending({ taskid: "T" })).toThrow(
    "the routing key of taskPending has no word taskid: did you mean taskId?",
  );
  // @ts-expect-error -- no word of this exchange
  expect(() => queueEvents.taskGroupResolved({ worker: "w" })).toThrow(
    "it has routingKeyKind, taskGroupId, schedulerId, reserved",
  );
});

test("bindings carry the type of their payloads into the events", () => {
  const bindings = [queueEvents.taskRunning(), queueEvents.taskGroupResolved()] as const;
  expectTypeOf<PayloadOf<(typeof bindings)[0]>["takenUntil"]>().toEqualTypeOf<string>();
  type Heard = EventOf<(typeof bindings)[number]>;
  expectTypeOf<Heard["exchange"]>().toEqualTypeOf<
    "exchange/taskcluster-queue/v1/task-running" | "exchange/taskcluster-queue/v1/task-group-resolved"
  >();
  const told = (event: Heard): string =>
    event.exchange === "exchange/taskcluster-queue/v1/task-running"
      ? event.payload.workerId
      : event.payload.taskGroupId;
  expect(told).toBeTypeOf("function");
});
