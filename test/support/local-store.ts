// A local artifact store in a temporary folder, served over HTTP.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { request } from "node:http";
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ArtifactKey, CheckUpload } from "../../src/server/core/artifact-store/index.ts";
import {
  openLocalStore,
  serveLocalStore,
  type LocalStore,
} from "../../src/server/core/artifact-store/local/index.ts";
import { createHttpServer } from "../../src/server/core/http/server.ts";
import { manualClock, type ManualClock } from "./clock.ts";
import { testMonitor } from "./monitor.ts";

export interface TestStore {
  readonly store: LocalStore;
  readonly dir: string;
  readonly rootUrl: string;
  readonly clock: ManualClock;
  /** All log records, including those of unexpected errors. */
  readonly records: Record<string, unknown>[];
  uploadUrl(key: ArtifactKey, contentType: string): Promise<string>;
  downloadUrl(key: ArtifactKey): Promise<string>;
  /** Uploads text with fetch. */
  put(
    key: ArtifactKey,
    contentType: string,
    text: string,
    headers?: Record<string, string>,
  ): Promise<Response>;
  /** Returns the paths of all files in the store's folder. */
  files(): Promise<string[]>;
  close(): Promise<void>;
}

export async function testStore(
  options: { maxSize?: number; idleTimeoutMs?: number; rootUrl?: string; checkUpload?: CheckUpload } = {},
): Promise<TestStore> {
  const clock = manualClock();
  const { monitor, records } = testMonitor();
  const dir = await mkdtemp(path.join(tmpdir(), "taskyard-store-"));
  const store = await openLocalStore({
    dir: path.join(dir, "artifacts"),
    secret: "a secret of the tests only",
    signedUrlExpires: 30 * 60_000,
    rootUrl: options.rootUrl,
    clock,
  });
  const app = createHttpServer({
    keepAliveTimeoutMs: 5_000,
    trustProxy: false,
    version: {},
    clock,
    monitor,
  });
  const { maxSize = 1024 * 1024, idleTimeoutMs = 10_000, checkUpload = async () => undefined } = options;
  serveLocalStore(app, store, { maxSize, checkUpload, idleTimeoutMs, clock, monitor });
  await app.listen({ host: "127.0.0.1", port: 0 });
  // The address of a TCP server is an object.
  const rootUrl = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const uploadUrl: TestStore["uploadUrl"] = (key, contentType) =>
    store.uploadUrl({ key, contentType, expires: clock.now() + 45 * 60_000, rootUrl });

  return {
    store,
    dir,
    rootUrl,
    clock,
    records,
    uploadUrl,
    downloadUrl: (key) => store.downloadUrl({ key, rootUrl }),
    put: async (key, contentType, text, headers) =>
      fetch(await uploadUrl(key, contentType), {
        method: "PUT",
        body: new TextEncoder().encode(text),
        headers: { "content-type": contentType, ...headers },
      }),
    async files() {
      const entries = await readdir(dir, { recursive: true, withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name));
    },
    async close() {
      await app.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Sends a request without the normalization that fetch does. `send` writes the body. */
export function rawRequest(
  url: string,
  options: { method?: string; headers?: OutgoingHttpHeaders; path?: string; agent?: false },
  send: (request: ClientRequest) => void = (req) => req.end(),
): Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "GET", ...options }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    sent.on("error", reject);
    send(sent);
  });
}
