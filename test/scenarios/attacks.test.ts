// Callers that mean harm cost a server bounded memory, and it answers others meanwhile. `npm run bench:attacks` has the times.
import { afterAll, beforeAll, expect, it } from "vitest";
import { slugid } from "../../src/lib/slugid.ts";
import { attacks, underAttack, type Target } from "../support/attacks.ts";
import { taskDefinition } from "../support/factories.ts";
import { preparedHome, startUp, type OnCleanup, type ServerProcess } from "../support/process.ts";

const MiB = 2 ** 20;
/** What the limits of replies, bodies and streams allow together with the server itself. */
const MOST_MEMORY = 1024 * MiB;
const DURATION_MS = 250;

const cleanups: (() => Promise<void>)[] = [];
let server: ServerProcess;
let target: Target;
beforeAll(async () => {
  const onCleanup: OnCleanup = (cleanup) => void cleanups.push(cleanup);
  server = await startUp({ home: await preparedHome(onCleanup) }, ["--no-worker"], onCleanup);
  target = { ...server, taskGroupId: slugid() };
  const payload = { text: "x".repeat(0.9 * MiB) };
  for (let i = 0; i < 12; i++)
    await server.client.queue.createTask(
      { taskId: slugid() },
      taskDefinition({ taskGroupId: target.taskGroupId, payload }),
    );
});
afterAll(async () => {
  server.signal("SIGTERM");
  await server.exitStatus();
  for (const cleanup of cleanups.toReversed()) await cleanup();
});

it.each(attacks.map((attack) => [attack.name, attack] as const))("%s", async (_name, attack) => {
  const { pings, peakBytes, statuses } = await underAttack(attack, target, DURATION_MS);
  expect(peakBytes / MiB).toBeLessThan(MOST_MEMORY / MiB);
  // Generous, for busy machines: the same process shares them.
  expect(pings.at(-1)).toBeLessThan(5_000);
  if (attack.status !== undefined) expect(statuses).toContain(attack.status);
});
