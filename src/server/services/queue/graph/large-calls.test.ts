// Calls with bodies beyond the general limit: accepted from authenticated callers, and only a few concurrently.
import { once } from "node:events";
import { request } from "node:http";
import { beforeAll, describe, expect, it } from "vitest";
import { taskDefinition } from "../../../../../test/support/factories.ts";
import { rawCall } from "../../../../../test/support/raw-call.ts";
import { sharedStack, type Stack } from "../../../../../test/support/stack.ts";
import { until } from "../../../../../test/support/until.ts";
import type { NewTask } from "../../../../api/queue/graph.ts";
import { createSigner } from "../../../../client/signer.ts";
import { slugid } from "../../../../lib/slugid.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await sharedStack();
});

const newTask = (text = ""): NewTask => ({ taskId: slugid(), task: taskDefinition({ payload: { text } }) });
/** Returns tasks of 12 MB in total. */
const manyTasks = () => Array.from({ length: 3000 }, () => newTask("x".repeat(4000)));
const check = (tasks: NewTask[], client = stack.client) => client.queue.createTasks({ tasks, dryRun: true });

describe("a call", () => {
  it("may be larger than those of other methods, up to its own limit", async () => {
    expect(await check(manyTasks())).toMatchObject({ created: 3000 });
    const reply = await rawCall(stack.rootUrl, {
      method: "POST",
      path: "/api/queue/v1/tasks/create",
      body: " ".repeat(64 * 2 ** 20 + 1),
      credentials: stack.rootCredentials,
    });
    expect([reply.status, reply.code, reply.message]).toEqual([
      413,
      "InputTooLarge",
      "The request body is larger than the limit of 67108864 bytes.",
    ]);
  });

  it("may have only so many values in all, since they take memory", async () => {
    const element = `{"a":[${"[],".repeat(24_900)}1]}`;
    const reply = await rawCall(stack.rootUrl, {
      method: "POST",
      path: "/api/queue/v1/tasks/create",
      body: `{"tasks":[${Array.from({ length: 61 }, () => element).join(",")}]}`,
      credentials: stack.rootCredentials,
    });
    expect([reply.status, reply.code]).toEqual([413, "InputTooLarge"]);
    expect(reply.message).toMatch(/^The JSON has more than 3000000 values/);
  });

  it("that is large is refused while others of the client take half of the memory for bodies; small ones are accepted", async () => {
    const { port } = new URL(stack.rootUrl);
    const path = "/api/queue/v1/tasks/create";
    const signer = createSigner(stack.rootCredentials);
    const headers = {
      authorization: await signer.header("POST", stack.rootUrl + path, Date.now()),
      "content-type": "application/json",
      "content-length": String(20 * 2 ** 20),
      expect: "100-continue",
    };
    const requests = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const outgoing = request({ port, method: "POST", path, headers });
        outgoing.on("error", () => undefined);
        outgoing.flushHeaders();
        // The server has started to receive the body.
        await once(outgoing, "continue");
        return outgoing;
      }),
    );
    const tasks = manyTasks();
    const refused = check(tasks);
    await expect(refused).rejects.toThrow(
      "The bodies of your requests in progress take the maximum of 134217728 bytes. Try again shortly, or send fewer at a time.",
    );
    await expect(check(tasks, stack.as(undefined))).rejects.toThrow(
      "Without credentials, a body must have a Content-Length of at most 65536 bytes",
    );
    const wrongCredentials = { ...stack.rootCredentials, accessToken: "some-other-token-of-nobody" };
    await expect(check(tasks, stack.as(wrongCredentials))).rejects.toMatchObject({ statusCode: 401 });
    await expect(check([newTask()])).resolves.toMatchObject({ created: 1 });
    for (const outgoing of requests) outgoing.destroy();
    await until("the server to drop the other requests", () =>
      check(tasks).then(
        () => true,
        () => false,
      ),
    );
  });
});
