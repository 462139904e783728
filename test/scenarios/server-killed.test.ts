// Kills the server under load and restarts it with the same home: nothing that it acknowledged may be lost.
import { expect, test } from "vitest";
import { claimOne, createTask } from "../support/factories.ts";
import { killAll, postgresOf, processesOf, preparedHome, startUp } from "../support/process.ts";
import { expectWholeHistories, startLoad } from "./load.ts";
import { readHistories, readStates } from "./task-history.ts";

const victims: [string, (home: string) => readonly number[]][] = [
  ["a server that is killed", () => []],
  [
    "a server that is killed with its PostgreSQL and all other processes",
    (home) => processesOf(home).map(({ pid }) => pid),
  ],
];

test.each(victims)(
  "%s under load has every task and each event once after a restart",
  async (_, choose) => {
    const home = await preparedHome();
    const env = { TASKYARD_QUEUE_CLAIM_WORK_TIMEOUT: "1s" };
    const first = await startUp({ home, env });
    let server = first;
    const load = startLoad({
      client: () => server.client,
      isOutage: ({ code }) => code === "NoAnswer",
    });
    const untouched = await createTask(first.client, { taskQueueId: "test/untouched" });
    await load.until(() => load.completed() >= 60);
    const before = processesOf(home).map(({ pid }) => pid);
    expect(before).toContain(first.pid);
    expect(before).toContain(postgresOf(home).pid);
    const acknowledged = new Map([...load.tasks].map(([taskId, { state }]) => [taskId, state]));

    // Kills the server first. Otherwise it could reply that the database is gone, which another test covers.
    killAll([first.pid, ...choose(home)]);
    expect(await first.exitStatus()).toBe("SIGKILL");
    server = await startUp({ home, env });
    const after = processesOf(home).map(({ pid }) => pid);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);

    const states = await readStates(postgresOf(home).url);
    for (const [taskId, state] of acknowledged)
      expect(states.get(taskId)).toMatch(
        state === "completed" ? /^completed$/ : /^(pending|running|completed)$/,
      );
    expect((await claimOne(server.client, "test/untouched")).status.taskId).toBe(untouched);

    const completed = load.completed();
    await load.until(() => load.completed() >= completed + 20);
    await load.finish();
    const histories = await readHistories(postgresOf(home).url);
    expectWholeHistories(load, histories);
    expect(histories.get(untouched)).toEqual(["task-defined", "task-pending 0", "task-running 0"]);
  },
  180_000,
);
