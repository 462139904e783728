// Reports why a task does not start, while a user waits for its log.
import type { Clock } from "../../lib/clock.ts";
import { pause } from "../../lib/retry.ts";
import type { Client } from "../../client/connect.ts";
import { mainReason } from "../task/why.ts";

export interface ExplainedWait {
  readonly client: Client;
  readonly taskId: string;
  report(text: string): void;
  /** Aborts when the wait has ended. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

// A waiting worker claims a task within milliseconds. After this time, most likely none is waiting.
const firstMs = 10_000;
const nextMs = 60_000;

/** Reports the main reason after ten seconds, and again whenever it has changed. */
export function explainWait({ client, taskId, report, signal, clock }: ExplainedWait): void {
  void (async () => {
    let last: string | undefined;
    for (let ms = firstMs; ; ms = nextMs) {
      await pause(clock, ms, signal);
      const why = await client.queue.why({ taskId }, { signal });
      if (why.state !== "pending" && why.state !== "unscheduled") return;
      const { code, text } = mainReason(why);
      if (code !== last) report(`still waiting: ${text}`);
      last = code;
    }
    // Rejects when the wait has ended. Servers that cannot explain it are no reason to stop waiting.
  })().catch(() => undefined);
}
