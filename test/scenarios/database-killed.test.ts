// PostgreSQL is killed under load, as by the out-of-memory killer: callers get an error, and nothing is lost.
import { expect, onTestFinished, test } from "vitest";
import { connect, queueEvents, type Client } from "../../src/client/index.ts";
import { killAll, postgresOf, preparedHome, startUp } from "../support/process.ts";
import { eventually } from "../support/until.ts";
import { expectWholeHistories, startLoad } from "./load.ts";
import { addEvent, readHistories, readStates, serverConnections, type Histories } from "./task-history.ts";

/** Collects all events of the queue from now on. */
async function collectEvents({ events }: Client): Promise<Histories> {
  const received: Histories = new Map();
  const stop = new AbortController();
  const bindings = Object.values(queueEvents).map((binding) => binding());
  const stream = await events.listen(bindings, { signal: stop.signal });
  const listening = (async () => {
    for await (const { exchange, payload } of stream)
      addEvent(received, { kind: exchange.split("/").at(-1) ?? "", payload });
  })();
  onTestFinished(() => {
    stop.abort();
    return listening;
  });
  return received;
}

test("when PostgreSQL is killed under load, callers get a 503, and no task and no event is lost", async () => {
  const home = await preparedHome();
  const server = await startUp({ home, env: { TASKYARD_QUEUE_CLAIM_WORK_TIMEOUT: "1s" } });
  const received = await collectEvents(connect({ rootUrl: server.rootUrl, credentials: server.credentials }));
  const load = startLoad({
    client: () => server.client,
    isOutage: ({ statusCode, code }) => statusCode === 503 && code === "ServiceUnavailable",
  });
  const { url } = postgresOf(home);
  const victims = [
    () => postgresOf(home).pid,
    // One backend: it may have corrupted shared memory, so PostgreSQL restarts all.
    async () => (await serverConnections(url))[0] ?? 0,
    () => postgresOf(home).pid,
  ];
  for (const victim of victims) {
    const [before, outages] = [load.completed(), load.outages()];
    await load.until(() => load.completed() >= before + 30);
    killAll([await victim()]);
    await load.until(() => load.outages() > outages);
    expect(await server.client.queue.ping()).toMatchObject({ alive: true });
    const after = load.completed();
    await load.until(() => load.completed() >= after + 30);
  }
  await load.finish();

  const states = await readStates(url);
  for (const taskId of load.tasks.keys()) expect(states.get(taskId)).toBe("completed");
  const histories = await readHistories(url);
  expectWholeHistories(load, histories);
  await eventually(() => expect(received).toEqual(histories));
  server.signal("SIGTERM");
  expect(await server.exitStatus(), server.output()).toBe(0);
}, 180_000);
