// The calls of the queue that the scenarios make.
import type { Credentials, LoadClient } from "./client.ts";
import type { BenchTask } from "./tasks.ts";

export interface Bench {
  readonly client: LoadClient;
  readonly serverPid: number;
  /** Factor for the number of calls; below 1 for a short trial. */
  readonly scale: number;
}

export interface Claim {
  readonly taskId: string;
  readonly runId: number;
  readonly credentials: Credentials;
}

const worker = { workerGroup: "bench", workerId: "load" };

export const create = (b: Bench, task: BenchTask): Promise<string> =>
  b.client.send("PUT", `/api/queue/v1/task/${task.taskId}`, task.definition);

export async function claim(b: Bench, queue: string, tasks: number): Promise<Claim[]> {
  const path = `/api/queue/v1/claim-work/${encodeURIComponent(queue)}`;
  const reply = JSON.parse(await b.client.send("POST", path, { ...worker, tasks })) as {
    tasks: { status: { taskId: string }; runId: number; credentials: Credentials }[];
  };
  return reply.tasks.map((t) => ({ taskId: t.status.taskId, runId: t.runId, credentials: t.credentials }));
}

export const complete = (b: Bench, { taskId, runId, credentials }: Claim): Promise<string> =>
  b.client.send("POST", `/api/queue/v1/task/${taskId}/runs/${runId}/completed`, undefined, credentials);

/** Claims everything that is pending in a queue; returns the number of tasks. */
export async function claimAll(b: Bench, queue: string): Promise<number> {
  let found = 0;
  for (let more = true; more;) {
    const claims = await claim(b, queue, 32);
    found += claims.length;
    more = claims.length === 32;
  }
  return found;
}
