import { expect, test } from "vitest";
import { until } from "../../../test/support/until.ts";
import { watchInactivity } from "./inactivity.ts";

function watched(world: { server: boolean; queue: string | undefined }) {
  const said: string[] = [];
  let pings = 0;
  const stop = new AbortController();
  const heard = watchInactivity({
    ping: () => {
      pings++;
      return world.server ? Promise.resolve() : Promise.reject(new Error("away"));
    },
    unserved: () => world.queue,
    tell: (text) => void said.push(text),
    quietMs: 5,
    signal: stop.signal,
  });
  const looks = async (count: number): Promise<void> => {
    const enough = pings + count;
    await until(`${count} looks`, () => Promise.resolve(pings >= enough));
  };
  return { said, looks, heard, stop };
}

test("a server that is away is told once, and that it is back", async () => {
  const world = { server: true, queue: undefined as string | undefined };
  const { said, looks, stop } = watched(world);
  await looks(2);
  expect(said).toEqual([]);
  world.server = false;
  await looks(3);
  world.server = true;
  await looks(3);
  stop.abort();
  expect(said).toEqual(["the server does not answer; still trying", "the server is back"]);
});

test("a queue without workers is told once", async () => {
  const world = { server: true, queue: "a/b" as string | undefined };
  const { said, looks, stop } = watched(world);
  await looks(3);
  world.queue = "c/d";
  await looks(3);
  world.queue = undefined;
  await looks(2);
  stop.abort();
  expect(said).toEqual([
    "no worker takes a task of a/b; to start one: taskyard worker --task-queue a/b",
    "no worker takes a task of c/d; to start one: taskyard worker --task-queue c/d",
  ]);
});
