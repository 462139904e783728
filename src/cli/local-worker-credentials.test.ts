import { afterAll, beforeAll, expect, it } from "vitest";
import { createTask, taskDefinition } from "../../test/support/factories.ts";
import { testStack, type Stack } from "../../test/support/stack.ts";
import { connect, type Client, type Credentials } from "../client/index.ts";
import { slugid } from "../lib/slugid.ts";
// oxlint-disable-next-line no-restricted-imports -- `up` signs with it
import { createTemporaryCredentials } from "../server/services/auth/index.ts";
import { localWorkerCredentials } from "./local-worker-credentials.ts";

const settings = { taskQueueId: "local/credentials", workerGroup: "local", workerId: "mine" };
const claim = { workerGroup: "local", workerId: "mine", tasks: 1 };

let stack: Stack;
let worker: Client;
let credentials: Credentials;
beforeAll(async () => {
  stack = await testStack({ config: { access: "closed" } });
  const { clientId, accessToken } = stack.rootCredentials;
  const issuer = { clientId, accessToken };
  credentials = localWorkerCredentials(createTemporaryCredentials, issuer, settings);
  worker = connect({ rootUrl: stack.rootUrl, credentials, retries: 0 });
});
afterAll(() => stack.stop());

it("the local worker may claim from its queue as itself, read states and listen, and nothing else", async () => {
  const { certificate } = credentials;
  if (typeof certificate !== "string") throw new Error("the certificate is not JSON text");
  const { scopes } = JSON.parse(certificate) as { scopes: string[] };
  expect(scopes.toSorted()).toEqual([
    "events:listen",
    "queue:claim-work:local/credentials",
    "queue:status:*",
    "queue:worker-id:local/mine",
  ]);
  const taskId = await createTask(stack.client, { taskQueueId: settings.taskQueueId });
  expect((await worker.queue.status({ taskId })).status.state).toBe("pending");
  const { tasks } = await worker.queue.claimWork({ taskQueueId: settings.taskQueueId }, claim);
  expect(tasks.map(({ status }) => status.taskId)).toEqual([taskId]);
});

it("every other method is refused with 403", async () => {
  const taskId = await createTask(stack.client, { taskQueueId: settings.taskQueueId });
  const calls: Record<string, () => Promise<unknown>> = {
    "claim from another queue": () => worker.queue.claimWork({ taskQueueId: "local/other" }, claim),
    "claim as another worker": () =>
      worker.queue.claimWork({ taskQueueId: settings.taskQueueId }, { ...claim, workerId: "other" }),
    "create a task": () => worker.queue.createTask({ taskId: slugid() }, taskDefinition()),
    "read a definition": () => worker.queue.task({ taskId }),
    cancel: () => worker.queue.cancelTask({ taskId }),
    rerun: () => worker.queue.rerunTask({ taskId }),
    "resolve a run that it has not claimed": () => worker.queue.reportCompleted({ taskId, runId: "0" }),
    "read a private artifact": () => worker.queue.getLatestArtifact({ taskId, name: "private/secret" }),
    quarantine: () =>
      worker.queue.quarantineWorker(
        { provisionerId: "local", workerType: "credentials", workerGroup: "local", workerId: "mine" },
        { quarantineUntil: new Date().toISOString() },
      ),
    "upload an object": () =>
      worker.object.createUpload(
        { name: "name" },
        {
          projectId: "none",
          uploadId: slugid(),
          expires: new Date().toISOString(),
          proposedUploadMethods: {},
        },
      ),
  };
  for (const [what, call] of Object.entries(calls))
    await expect(call(), what).rejects.toMatchObject({ statusCode: 403 });
});
