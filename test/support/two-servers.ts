// Two servers on one database, for tests of what happens at the same time.
import { expect } from "vitest";
import type { Client } from "../../src/client/index.ts";
import type { PartialConfig } from "../../src/server/config/index.ts";
import { testStack, type Stack } from "./stack.ts";

export interface TwoServers {
  readonly stack: Stack;
  readonly other: Stack;
  /** Does `body` `count` times, eight at once, each time with the two clients in another order. */
  rounds(count: number, body: (here: Client, there: Client) => Promise<void>): Promise<void>;
  /** Lets a loop of both have its rounds until both have nothing to do. */
  loopsRun(name: string): Promise<void>;
  stop(): Promise<void>;
}

export async function twoServers(config: PartialConfig): Promise<TwoServers> {
  const stack = await testStack({ config });
  const other = await testStack({ config, database: stack.database });
  return {
    stack,
    other,
    async rounds(count, body) {
      const [a, b] = [stack.client, other.client];
      for (let i = 0; i < count; i += 8)
        await Promise.all(Array.from({ length: 8 }, (_, j) => (j % 2 === 0 ? body(a, b) : body(b, a))));
    },
    loopsRun: async (name) => void (await Promise.all([stack, other].map((one) => one.loopRuns(name)))),
    async stop() {
      await other.stop();
      await stack.stop();
    },
  };
}

/** Which of the calls were done, and which refused with one of these codes; fails where one was neither. */
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
