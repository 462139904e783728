import { expect, test } from "vitest";
import { until } from "../../../test/support/until.ts";
import { watchInactivity } from "./inactivity.ts";

function watched(world: { server: boolean; queue: string | undefined }) {
  const reports: string[] = [];
  let pings = 0;
  const stop = new AbortController();
  watchInactivity({
    ping: () => {
      pings++;
      return world.server ? Promise.resolve() : Promise.reject(new Error("down"));
    },
    unservedQueue: () => world.queue,
    report: (text) => void reports.push(text),
    quietMs: 5,
    signal: stop.signal,
  });
  /** Waits for this many checks. */
  const checks = async (count: number): Promise<void> => {
    const enough = pings + count;
    await until(`${count} checks`, () => Promise.resolve(pings >= enough));
  };
  return { reports, checks, stop };
}

test("a server that does not respond is reported once, and its return", async () => {
  const world = { server: true, queue: undefined as string | undefined };
  const { reports, checks, stop } = watched(world);
  await checks(2);
  expect(reports).toEqual([]);
  world.server = false;
  await checks(3);
  world.server = true;
  await checks(3);
  stop.abort();
  expect(reports).toEqual(["the server does not respond; still trying", "the server responds again"]);
});

test("a queue without workers is reported once", async () => {
  const world = { server: true, queue: "a/b" as string | undefined };
  const { reports, checks, stop } = watched(world);
  await checks(3);
  world.queue = "c/d";
  await checks(3);
  world.queue = undefined;
  await checks(2);
  stop.abort();
  expect(reports).toEqual([
    "no worker claims tasks of a/b; start one: taskyard worker --task-queue a/b",
    "no worker claims tasks of c/d; start one: taskyard worker --task-queue c/d",
  ]);
});
