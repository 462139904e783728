import { expect, onTestFinished, test } from "vitest";
import { immediateClock } from "../../test/support/immediate-clock.ts";
import { until } from "../../test/support/until.ts";
import { supervise, type Running, type SuperviseOptions } from "./supervise.ts";

interface FakeServer extends Running {
  readonly pid: number;
}

/** Creates a fake server that runs until the test ends it. */
function fakeServer(pid: number) {
  let end = (_how: string): void => undefined;
  const ended = new Promise<string>((resolve) => (end = resolve));
  const server: FakeServer = {
    pid,
    ended,
    stop: async () => end("exit code 0"),
  };
  return { server, die: () => end("signal SIGKILL") };
}

/** Supervises fake servers. `starts` has the outcomes of successive starts. */
async function supervised(starts: boolean[]) {
  const messages: string[] = [];
  const servers: ReturnType<typeof fakeServer>[] = [];
  let gaveUp = (_cause: Error): void => undefined;
  const givenUp = new Promise<Error>((resolve) => (gaveUp = resolve));
  const arrivals: (() => void)[] = [];
  let calls = 0;
  const clock = immediateClock(60_000);
  const options: SuperviseOptions<FakeServer> = {
    what: "PostgreSQL",
    maxAttempts: 20,
    log: {
      warn: (_fields, message) => messages.push(message),
      error: (_fields, message) => messages.push(message),
    },
    clock,
    async start() {
      const works = starts[calls++] ?? starts.at(-1) ?? true;
      if (!works) throw new Error("no room");
      const fake = fakeServer(1001 + servers.length);
      servers.push(fake);
      arrivals.shift()?.();
      return fake.server;
    },
    onGiveUp: gaveUp,
  };
  const running = await supervise(options);
  onTestFinished(() => running.stop());
  const started = () => new Promise<void>((resolve) => arrivals.push(resolve));
  return {
    running,
    messages,
    givenUp,
    started,
    latest: () => servers.at(-1),
    calls: () => calls,
    pauses: clock.waits,
  };
}

test("a failed first start is not retried", async () => {
  await expect(supervised([false])).rejects.toThrow("no room");
});

test("a server that ends unexpectedly is restarted, which is logged", async () => {
  const { running, messages, started, latest } = await supervised([true]);
  expect(running.current()?.pid).toBe(1001);
  const again = started();
  latest()?.die();
  await again;
  await until("the new server", async () => running.current() !== undefined);
  expect(running.current()?.pid).toBe(1002);
  expect(messages).toEqual(["PostgreSQL ended unexpectedly; restarting it", "PostgreSQL was restarted"]);
});

test("failed restarts are retried", async () => {
  const { messages, started, latest, calls } = await supervised([true, false, false, true]);
  const again = started();
  latest()?.die();
  await again;
  expect(calls()).toBe(4);
  expect(messages.filter((m) => m === "PostgreSQL could not be restarted")).toHaveLength(2);
});

test("it gives up after many consecutive failures with growing pauses, with the last error", async () => {
  const { running, givenUp, latest, calls, pauses } = await supervised([true, false]);
  latest()?.die();
  expect((await givenUp).message).toBe("no room");
  expect(calls()).toBe(21);
  // None before the first attempt.
  expect(pauses).toHaveLength(19);
  expect(pauses.slice(0, 8)).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
  expect(running.current()).toBeUndefined();
});

test("a stopped server is not restarted", async () => {
  const { running, messages, calls } = await supervised([true]);
  await running.stop();
  expect(calls()).toBe(1);
  expect(messages).toEqual([]);
});
