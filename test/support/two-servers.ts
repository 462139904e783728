// Two servers on one database, for tests of races.
import { expect } from "vitest";
import type { Client } from "../../src/client/index.ts";
import type { PartialConfig } from "../../src/server/config/index.ts";
import { testStack, type Stack } from "./stack.ts";

export interface TwoServers {
  readonly stack: Stack;
  readonly other: Stack;
  /** Calls `body` `count` times, eight concurrently, with the two clients in alternating order. */
  repeat(count: number, body: (here: Client, there: Client) => Promise<void>): Promise<void>;
  /** Runs a loop of both servers until both are idle. */
  runLoops(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both. Only the test runs their loops. */
export async function twoServers(config: PartialConfig): Promise<TwoServers> {
  const stack = await testStack({ config, manualLoops: true });
  const other = await testStack({ config, manualLoops: true, database: stack.database });
  return {
    stack,
    other,
    async repeat(count, body) {
      const [a, b] = [stack.client, other.client];
      for (let i = 0; i < count; i += 8)
        await Promise.all(Array.from({ length: 8 }, (_, j) => (j % 2 === 0 ? body(a, b) : body(b, a))));
    },
    runLoops: async (name) => void (await Promise.all([stack, other].map((one) => one.runLoop(name)))),
    async stop() {
      await other.stop();
      await stack.stop();
    },
  };
}

/** Returns for each call whether it was done, or refused with one of these codes. Fails on any other outcome. */
export async function outcomes(
  calls: readonly Promise<unknown>[],
  codes: readonly string[] = ["RequestConflict"],
): Promise<("done" | "refused")[]> {
  return (await Promise.allSettled(calls)).map((result) => {
    if (result.status === "fulfilled") return "done";
    expect(codes).toContain((result.reason as { code?: unknown }).code);
    return "refused";
  });
}
