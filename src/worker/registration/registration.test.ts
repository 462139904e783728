import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { manualClock } from "../../../test/support/clock.ts";
import { createTask } from "../../../test/support/factories.ts";
import { sharedStack, type Stack } from "../../../test/support/stack.ts";
import { makeTemporaryFolder } from "../../../test/support/temporary-folder.ts";
import { eventually, until } from "../../../test/support/until.ts";
import { newSecret, selfPool } from "../../../test/support/worker-pool.ts";
import { startRegistration } from "./registration.ts";

const HOUR = 3_600_000;

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});

/** Registers a worker of a new pool, whose timers follow a clock of the test. */
async function registered(workerType: string, reregistrationTimeout = 3600) {
  const workerPoolId = `registration/${workerType}`;
  const pool = await selfPool(stack, workerPoolId, { lifecycle: { reregistrationTimeout } });
  const secretFile = join(await makeTemporaryFolder(), "secret");
  const writeSecret = (secret: string) => writeFile(secretFile, secret, { mode: 0o600 });
  await writeSecret(pool.secret);
  const logged: string[] = [];
  const log = (_: object, message: string) => void logged.push(message);
  const clock = manualClock(Date.now());
  const worker = { workerPoolId, workerGroup: "g", workerId: "w" };
  const registration = await startRegistration({
    rootUrl: stack.rootUrl,
    worker,
    providerId: "self",
    secretFile,
    pollMs: 1000 * HOUR,
    log: { debug: log, info: log, warn: log, error: log },
    signal: new AbortController().signal,
    clock,
  });
  onTestFinished(() => registration.end());
  return {
    ...registration,
    worker,
    pool,
    clock,
    logged,
    writeSecret,
    // A registration by somebody else, so that its secret is no longer valid.
    loseSecret: () => pool.register("w"),
    setSecrets: (secrets: string[]) =>
      stack.client.workerManager.setWorkerPoolSecrets({ workerPoolId }, { secrets }),
    claim: () =>
      registration.client.queue.claimWork(
        { taskQueueId: workerPoolId },
        { workerGroup: "g", workerId: "w", tasks: 1 },
        { retries: 0 },
      ),
  };
}

describe("the registration of a worker", () => {
  it("is repeated with the secret that the file then has", async () => {
    const { clock, logged, writeSecret, setSecrets, loseSecret } = await registered("rotated");
    await loseSecret();
    const next = newSecret();
    await setSecrets([next]);
    await writeSecret(next);
    await clock.advance(HOUR / 2);
    await clock.advance(HOUR / 4);
    await eventually(() => expect(logged).toContain("renewed the credentials of the worker pool"));
    expect(logged).toContain("registering with the worker pool from the beginning");
  });

  it("is lost if the pool refuses the secret, and the error says so", async () => {
    const { clock, ending, setSecrets, loseSecret } = await registered("refused");
    await loseSecret();
    await setSecrets([newSecret()]);
    await clock.advance(HOUR / 2);
    await clock.advance(HOUR / 4);
    const { reason, error } = await ending;
    expect(reason).toBe("its registration is lost");
    expect(error?.message).toMatch(
      /^http\S+ does not register g\/w for the pool registration\/refused: bad poolSecret in workerIdentityProof: send .* Check --pool, --provider \(self\) and the secret in \S+\/secret\.$/,
    );
  });

  it("is not repeated after an administrator has removed the worker", async () => {
    const { clock, ending, worker } = await registered("removed");
    await stack.client.workerManager.removeWorker(worker);
    await clock.advance(HOUR / 2);
    await clock.advance(HOUR / 4);
    expect(await ending).toEqual({ reason: "worker-manager terminates the worker: worker removed" });
    expect(await stack.client.workerManager.worker(worker)).toMatchObject({ state: "stopped" });
  });

  it("is renewed when the server no longer accepts the credentials, as after a suspend", async () => {
    // The server tolerates five minutes, so they are valid for three seconds.
    const { claim, worker } = await registered("suspended", -297);
    const create = () => createTask(stack.client, { taskQueueId: worker.workerPoolId });
    await create();
    expect((await claim()).tasks).toHaveLength(1);
    // The clock of the worker does not move, so its timers do not renew them.
    const { expires } = await stack.client.workerManager.worker(worker);
    await until("the refusal", async () => Date.now() > Date.parse(expires) + 300_000);
    await expect(claim()).rejects.toThrow("the credentials have expired: wait until they are renewed");
    await create();
    await eventually(async () => expect((await claim()).tasks).toHaveLength(1));
  });

  it("is not renewed if the server has never accepted the credentials, which the claim reports", async () => {
    const { claim, logged } = await registered("unaccepted", -400);
    await expect(claim()).rejects.toMatchObject({ statusCode: 401 });
    expect(logged).toEqual(["registered with the worker pool"]);
  });
});
