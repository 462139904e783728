// The client in a real browser, on a page of another origin: signatures, events and artifacts.
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startChromium, withChromium } from "../support/chromium.ts";
import { bundleClient } from "../support/client-bundle.ts";
import { runningTask } from "../support/running-task.ts";
import { sharedStack, type Stack } from "../support/stack.ts";

describe("the client in a browser", withChromium, () => {
  let stack: Stack;
  let browser: Browser;
  let page: Page;
  let pages: Server;
  beforeAll(async () => {
    stack = await sharedStack();
    pages = createServer((_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<title>page</title>"),
    );
    pages.listen(0, "127.0.0.1");
    await once(pages, "listening");
    browser = await startChromium();
    page = await browser.newPage();
    // The address of a TCP server is an object.
    const { port } = pages.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.addScriptTag({ content: (await bundleClient()).script });
  });
  afterAll(async () => {
    await browser.close();
    pages.closeAllConnections();
    pages.close();
  });

  /** Runs the body of an async function of `taskyard` and `given` in the page. */
  const run = (body: string, given: object): Promise<unknown> =>
    page.evaluate(
      `(async ({ connect, ClientError }, given) => {${body}})(taskyard, ${JSON.stringify(given)})`,
    );

  it("signs calls, and reads the errors of refused ones", async () => {
    const given = { rootUrl: stack.rootUrl, credentials: stack.rootCredentials };
    const body = `
      const client = connect(given);
      const { scopes } = await client.auth.currentScopes();
      const error = await connect({ rootUrl: given.rootUrl }).secrets.get({ name: "a" }).catch((e) => e);
      return [scopes.includes("*"), error instanceof ClientError, error.code, error.statusCode];
    `;
    expect(await run(body, given)).toEqual([true, true, "InsufficientScopes", 403]);
  });

  it.each(["object", "s3"])("uploads and downloads an artifact of type %s", async (storageType) => {
    const { run: of, worker } = await runningTask(stack);
    const { credentials } = await worker.queue.reclaimTask(of);
    const given = {
      rootUrl: stack.rootUrl,
      credentials,
      reader: { rootUrl: stack.rootUrl, credentials: stack.rootCredentials },
      of,
      storageType,
      expires: new Date(Date.now() + 600_000),
    };
    const body = `
      const client = connect(given);
      const bytes = new Uint8Array(3_000_000).map((_, i) => i % 251);
      const progress = { upload: [], download: [] };
      const report = (list) => ({ bytes, total }) => list.push([bytes, total]);
      const uploaded = await client.artifacts.upload({
        ...given.of, name: "public/x.bin", content: new Blob([bytes]), expires: given.expires,
        storageType: given.storageType, onProgress: report(progress.upload),
      });
      const download = await connect(given.reader).artifacts.download({ ...given.of, name: "public/x.bin", onProgress: report(progress.download) });
      const received = new Uint8Array(await new Response(download.body).arrayBuffer());
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", received));
      const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      return {
        same: received.length === bytes.length && sha256 === uploaded.sha256,
        verified: download.hashes.sha256 === sha256,
        upload: progress.upload.at(-1),
        download: progress.download.at(-1),
      };
    `;
    const all = [3_000_000, 3_000_000];
    const verified = storageType === "object";
    expect(await run(body, given)).toEqual({ same: true, verified, upload: all, download: all });
  });
});
