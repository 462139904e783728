import { expect, it } from "vitest";
import { createTask } from "../../test/support/factories.ts";
import { sharedStack } from "../../test/support/stack.ts";
import { renewableClient } from "./renewable-client.ts";

it("signs calls with the newest credentials, also those of copies of its functions", async () => {
  const { client: server, rootUrl, rootCredentials } = await sharedStack();
  const taskId = await createTask(server);
  const { client, renew } = renewableClient(rootUrl, { clientId: "unknown", accessToken: "secret" });
  const copy = { ...client.queue };
  await expect(copy.status({ taskId })).rejects.toMatchObject({ statusCode: 401 });
  renew(rootCredentials);
  expect(await copy.status({ taskId })).toMatchObject({ status: { taskId } });
  await expect(
    copy.withCredentials({ clientId: "a", accessToken: "b", certificate: "" }).status({ taskId }),
  ).rejects.toMatchObject({
    statusCode: 401,
  });
});
