import { beforeEach, describe, expect, test } from "vitest";
import { manualClock } from "../../test/support/clock.ts";
import type { ManualClock } from "../../test/support/clock.ts";
import { createState } from "../../test/support/fake-queue-state.ts";
import type { QueueState } from "../../test/support/fake-queue-state.ts";
import { claimTerm, keepClaim, lostCause, reclaimDelay } from "./claim-keeper.ts";
import type { ClaimKeeper } from "./claim-keeper.ts";
import { logMonitor } from "./worker-monitor.ts";
import type { LostCause } from "./outcome.ts";
import type { QueueClient } from "./queue-client.ts";

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const worker = { workerGroup: "g", workerId: "w", tasks: 1 };

test("a claim is reclaimed three minutes before its expiry, a short one after two thirds of its duration", () => {
  expect(reclaimDelay({ expiresAt: 1_200_000, length: 1_200_000 }, 0)).toBe(1_020_000);
  expect(reclaimDelay({ expiresAt: 1500, length: 1500 }, 0)).toBe(1000);
  expect(reclaimDelay({ expiresAt: 1500, length: 1500 }, 2000)).toBe(0);
});

describe("keeping a claim", () => {
  let clock: ManualClock;
  let state: QueueState;
  let taskId: string;
  let lost: LostCause | undefined;
  let reclaims: number;
  /** Faults of the next reclaims, one each. */
  let faults: (Error | "hang")[];
  let clientIds: string[];

  /** The queue in this process, without a network. */
  const queueAs = (clientId: string): QueueClient => ({
    ...unused,
    withCredentials: (credentials) => queueAs(credentials.accessToken),
    status: (params) => Promise.resolve().then(() => ({ status: state.status(params.taskId) })),
    async reclaimTask(params, { signal } = {}) {
      reclaims++;
      clientIds.push(clientId);
      const fault = faults.shift();
      if (fault === "hang")
        await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
      if (fault instanceof Error) throw fault;
      return Promise.resolve().then(() => state.reclaim(params.taskId, Number(params.runId)));
    },
  });
  const refused = (statusCode: number) => Object.assign(new Error(`status ${statusCode}`), { statusCode });

  function keep({ claimMs = 1500, skewMs = 0, deadlineMs = 3_600_000 } = {}): ClaimKeeper {
    state = createState({ claimMs, skewMs, now: () => clock.now() });
    taskId = state.submit({}, { deadlineMs });
    const claim = state.claim(taskId, worker);
    return keepClaim({
      clock,
      monitor: logMonitor(silent),
      queue: queueAs("worker"),
      claim,
      receivedAt: clock.now(),
      onLost: (cause) => (lost = cause),
    });
  }

  beforeEach(() => {
    clock = manualClock();
    lost = undefined;
    reclaims = 0;
    faults = [];
    clientIds = [];
  });

  test("continues for as long as the queue accepts reclaims, each time with the newest credentials", async () => {
    const keeper = keep();
    await clock.advance(15_000);
    expect([reclaims, lost]).toEqual([15, undefined]);
    expect(new Set(clientIds).size).toBe(15);
    keeper.stop();
    await clock.advance(15_000);
    expect([reclaims, clock.pending()]).toEqual([15, 0]);
  });

  test.each([-3_600_000, 3_600_000])("works with a queue whose clock differs by %d ms", async (skewMs) => {
    const keeper = keep({ skewMs });
    await clock.advance(15_000);
    expect([reclaims, lost]).toEqual([15, undefined]);
    keeper.stop();
  });

  test("retries after transient failures while the claim lasts", async () => {
    const keeper = keep();
    faults.push(refused(503), new Error("socket hang up"), refused(500));
    await clock.advance(1499);
    expect([reclaims, lost]).toEqual([4, undefined]);
    keeper.stop();
  });

  test("gives up when the claim has expired without a reply", async () => {
    keep();
    faults.push(...Array.from({ length: 100 }, () => refused(503)));
    await clock.advance(1400);
    expect(lost).toBeUndefined();
    await clock.advance(200);
    expect(lost).toBe("claim-lost");
    const { length } = faults;
    await clock.advance(60_000);
    expect([faults.length, clock.pending()]).toEqual([length, 0]);
  });

  test("does not wait for a request that hangs beyond the claim's expiry", async () => {
    keep();
    faults.push("hang");
    await clock.advance(1600);
    expect(lost).toBe("claim-lost");
  });

  test.each([
    ["canceled", "canceled"],
    ["deadline-exceeded", "deadline"],
    ["claim-expired", "claim-lost"],
  ] as const)("learns from a refused reclaim that the run was resolved as %s", async (reason, cause) => {
    keep();
    state.resolve(taskId, 0, "exception", reason);
    await clock.advance(1100);
    expect(lost).toBe(cause);
  });

  test("tries once more after the expiry, as a worker does after a suspension", async () => {
    const keeper = keep();
    clock.setNow(clock.now() + 3_600_000);
    await clock.advance(1100);
    expect([reclaims, lost]).toEqual([1, undefined]);
    keeper.stop();
  });

  test("detects the deadline without the queue", async () => {
    keep({ claimMs: 1_200_000, skewMs: 90_000, deadlineMs: 30_000 });
    await clock.advance(29_999);
    expect(lost).toBeUndefined();
    await clock.advance(1);
    expect(lost).toBe("deadline");
  });

  test("supports a deadline that is further away than the longest timer", async () => {
    const keeper = keep({ claimMs: 2 ** 40, deadlineMs: 40 * 86_400_000 });
    await clock.advance(39 * 86_400_000);
    expect(lost).toBeUndefined();
    await clock.advance(86_400_000);
    expect(lost).toBe("deadline");
    keeper.stop();
  });

  test("checks the status on request, and reports only a loss", async () => {
    const keeper = keep({ claimMs: 1_200_000 });
    await keeper.check();
    expect(lost).toBeUndefined();
    state.resolve(taskId, 0, "exception", "canceled");
    await keeper.check();
    expect(lost).toBe("canceled");
  });
});

test("a run belongs to the worker only while it is the latest, is running, and has its worker id", () => {
  const state = createState({ claimMs: 1000, skewMs: 0 });
  const claim = state.claim(state.submit({}), worker);
  const { status } = claim;
  const { runs } = status;
  const next = { runId: 1, state: "pending", reasonCreated: "retry", scheduled: status.deadline } as const;
  expect(lostCause(status, claim)).toBeUndefined();
  const stolen = runs.map((run) => ({ ...run, workerId: "another" }));
  for (const other of [stolen, [...runs, next], []]) {
    expect(lostCause({ ...status, runs: other }, claim)).toBe("claim-lost");
  }
});

test("a claim without a start time is assumed to have no clock skew", () => {
  const state = createState({ claimMs: 60_000, skewMs: 0 });
  const claim = state.claim(state.submit({}), worker);
  const runs = claim.status.runs.map(({ started: _started, ...run }) => run);
  const bare = { ...claim, status: { ...claim.status, runs } };
  expect(claimTerm(bare, Date.parse(claim.takenUntil) - 60_000)).toMatchObject({ length: 60_000, skew: 0 });
});

const no = (): Promise<never> => Promise.reject(new Error("this call is not expected"));
const unused = {
  claimWork: no,
  reportCompleted: no,
  reportFailed: no,
  reportException: no,
  createArtifact: no,
  finishArtifact: no,
  getLatestArtifact: no,
};
