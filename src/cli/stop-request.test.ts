import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { capturedIo } from "../../test/support/captured-io.ts";
import { listenForStop, statusOfStop, untilStopped, type StopScope } from "./stop-request.ts";

function listening() {
  const io = capturedIo();
  const stop = listenForStop(io);
  onTestFinished(stop.dispose);
  return { io, stop };
}

const failsWhenStopped = async ({ stop, signal }: StopScope): Promise<number> => {
  await stop.requested;
  signal.throwIfAborted();
  return 0;
};

it.each([
  ["SIGHUP", 129],
  ["SIGINT", 130],
  ["SIGPIPE", 141],
  ["SIGTERM", 143],
] as const)("the first request aborts, and its status is that of %s", async (signal, status) => {
  const { io, stop } = listening();
  expect(stop.signal.aborted).toBe(false);
  io.interrupt(signal);
  expect(await stop.requested).toBe(signal);
  expect([stop.signal.aborted, stop.status(), io.exited]).toEqual([true, status, undefined]);
});

it.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("a second one, %s, exits immediately with its own status", (signal, status) => {
  const { io, stop } = listening();
  io.interrupt("SIGHUP");
  io.interrupt(signal);
  expect([io.exited, stop.status()]).toEqual([status, 129]);
});

it("exits when the stop takes longer than it may", async () => {
  const { io, stop } = listening();
  stop.allow(60_000);
  io.interrupt("SIGTERM");
  expect(io.exited).toBe(undefined);
  stop.allow(0);
  await io.until("error: not everything has stopped within 0 s; exiting");
  expect(io.exited).toBe(143);
});

it("is ignored when it comes after the end of the command", () => {
  const { io, stop } = listening();
  stop.dispose();
  io.interrupt();
  io.interrupt();
  expect([stop.signal.aborted, io.exited]).toEqual([false, undefined]);
});

it.each([
  ["returns its status", async () => 3, 3],
  ["returns the status of a request to stop if it fails after one", failsWhenStopped, 130],
] as const)("work %s, and what it started ends with it", async (_what, work, status) => {
  const io = capturedIo();
  const scopes: StopScope[] = [];
  const result = untilStopped(io, (scope) => {
    scopes.push(scope);
    return work(scope);
  });
  io.interrupt();
  expect(await result).toBe(status);
  expect(scopes.map(({ ended, signal }) => [ended.aborted, signal.aborted])).toEqual([[true, true]]);
  // Later requests are those of the next command.
  io.interrupt();
  expect(io.exited).toBe(undefined);
});

it("work that fails without a request to stop rejects, and what it started ends with it", async () => {
  let signal: AbortSignal | undefined;
  const work = async (scope: StopScope): Promise<number> => {
    signal = scope.signal;
    throw new Error("no server");
  };
  await expect(untilStopped(capturedIo(), work)).rejects.toThrow("no server");
  expect(signal?.aborted).toBe(true);
});

it("ends a service with 0 after a clean stop, 1 after another, and 141 if its log is closed", () => {
  const statuses = [
    statusOfStop("SIGTERM", true),
    statusOfStop("SIGTERM", false),
    statusOfStop("SIGPIPE", true),
  ];
  expect(statuses).toEqual([0, 1, 141]);
});

it("keeps a real process alive until the part that hangs is logged", async () => {
  const from = (path: string) => JSON.stringify(import.meta.resolve(path));
  const program = `
    import { processIo } from ${from("./io.ts")};
    import { listenForStop, statusOfStop } from ${from("./stop-request.ts")};
    import { createLifecycle } from ${from("../server/core/lifecycle.ts")};
    import { createLog } from ${from("../server/core/log.ts")};
    import { systemClock } from ${from("../lib/clock.ts")};
    const log = createLog({ level: "info", format: "json" });
    const lifecycle = createLifecycle({ clock: systemClock, log, stopTimeoutMs: 300 });
    const server = setInterval(() => {}, 1000);
    // Stopped in reverse order: when this one hangs, the server no longer keeps the process alive.
    lifecycle.add("stuck", () => new Promise(() => {}));
    lifecycle.add("server", () => clearInterval(server));
    const stop = listenForStop(processIo());
    log.info("up");
    const signal = await stop.requested;
    const { unclean } = await lifecycle.stop(signal);
    process.exit(statusOfStop(signal, unclean.length === 0));
  `;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const output = text(child.stdout);
  await once(child.stdout, "data");
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number];
  expect(code).toBe(1);
  expect(await output).toContain("stuck did not stop in time");
});
