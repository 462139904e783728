import { expect, it } from "vitest";
import { createWakeUps } from "./wake-ups.ts";

it("calls the subscribers of a topic once for several wake-ups in a row, before the next event loop iteration", async () => {
  const wakeUps = createWakeUps();
  const calls: string[] = [];
  wakeUps.subscribe("a", () => calls.push("a1"));
  wakeUps.subscribe("a", () => calls.push("a2"));
  wakeUps.subscribe("b", () => calls.push("b"));
  wakeUps.wake("a");
  wakeUps.wake("a");
  expect(calls).toEqual([]);
  await Promise.resolve();
  expect(calls).toEqual(["a1", "a2"]);
});

it("does not call a subscriber that another one has just unsubscribed", async () => {
  const wakeUps = createWakeUps();
  const calls: string[] = [];
  wakeUps.subscribe("a", () => leave());
  const leave = wakeUps.subscribe("a", () => calls.push("left"));
  wakeUps.wake("a");
  await Promise.resolve();
  expect(calls).toEqual([]);
});

it("calls the other subscribers when one throws, and logs that", async () => {
  const warnings: string[] = [];
  const wakeUps = createWakeUps({ log: { warn: (_fields, message) => warnings.push(message) } });
  const calls: string[] = [];
  wakeUps.subscribe("a", () => {
    throw new Error("broken");
  });
  wakeUps.subscribe("a", () => calls.push("fine"));
  wakeUps.wake("a");
  await Promise.resolve();
  expect(calls).toEqual(["fine"]);
  expect(warnings).toEqual(["a subscriber of a wake-up failed"]);
});

it("tells subscribers of all topics that they may have missed wake-ups", () => {
  const wakeUps = createWakeUps();
  const missed: boolean[] = [];
  wakeUps.subscribe("a", (isGap) => missed.push(isGap));
  wakeUps.receive(["a"]);
  wakeUps.receive("all");
  expect(missed).toEqual([false, true]);
});

it("forwards the topics that this process wakes, and not those that it receives", async () => {
  const wakeUps = createWakeUps();
  const forwarded: string[] = [];
  const received: string[] = [];
  const end = wakeUps.onWake((topics) => forwarded.push(...topics));
  wakeUps.subscribe("b", () => received.push("b"));
  wakeUps.wake("a");
  wakeUps.receive(["b"]);
  wakeUps.receive("all");
  await Promise.resolve();
  expect(forwarded).toEqual(["a"]);
  expect(received).toEqual(["b", "b"]);
  end();
  wakeUps.wake("c");
  await Promise.resolve();
  expect(forwarded).toEqual(["a"]);
});
