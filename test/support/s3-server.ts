// A real S3 API server on a free port, with a temporary folder: it checks signatures and their expiry, and supports
// multipart uploads, batch deletion and the CORS rules of buckets. A test can intercept requests to inject failures.
import S3rver from "@20minutes/s3rver";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { s3Buckets } from "./s3-settings.ts";

export interface S3Refusal {
  readonly status: number;
  /** XML. */
  readonly body: string;
}

/** Returns the reply to send instead of handling the request, or undefined to let the request through. */
export type Intercept = (request: { readonly method: string; readonly url: URL }) => S3Refusal | undefined;

export interface S3Server {
  readonly endpoint: string;
  /** Intercepts requests other than signed uploads and downloads, until the next call. */
  intercept(intercept: Intercept | undefined): void;
  /** Returns method and URL of every request since the last call. */
  requests(): string[];
  /** Returns the keys of all objects in a bucket, sorted. */
  keys(bucket: string): Promise<string[]>;
  close(): Promise<void>;
}

/** Returns an error reply in the format of S3. */
export const s3Error = (status: number, code: string): S3Refusal => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code} of a test</Message></Error>`,
});

export async function startS3Server(
  buckets: readonly string[] = Object.values(s3Buckets),
): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), "taskyard-s3-"));
  const s3 = new S3rver({
    directory,
    silent: true,
    vhostBuckets: false,
    configureBuckets: buckets.map((name) => ({ name })),
  });
  await s3.configureBuckets();
  const serveS3 = s3.callback();
  let intercept: Intercept | undefined;
  const requests: string[] = [];

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "/" } = request;
    requests.push(`${method} ${url}`);
    const target = new URL(url, "http://s3");
    // s3rver does not implement AbortMultipartUpload: it only removes an upload when that is completed.
    if (method === "DELETE" && target.searchParams.has("uploadId")) {
      const bucket = target.pathname.split("/")[1] ?? "";
      const uploads = join(directory, bucket, "._S3rver_uploads", target.searchParams.get("uploadId") ?? "");
      const found = await rm(uploads, { recursive: true }).then(
        () => true,
        () => false,
      );
      return found ? void response.writeHead(204).end() : refuse(response, s3Error(404, "NoSuchUpload"));
    }
    if (intercept && !/X-Amz-Signature/.test(url)) {
      const refusal = intercept({ method, url: target });
      if (refusal) return refuse(response, refusal);
    }
    await serveS3(request, response);
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // The address of a TCP server is an object.
  const { port } = server.address() as AddressInfo;

  return {
    endpoint: `http://127.0.0.1:${port}`,
    intercept: (handler) => void (intercept = handler),
    requests: () => requests.splice(0),
    async keys(bucket) {
      const entries = await readdir(join(directory, bucket), { recursive: true });
      const objects = entries.filter((entry) => entry.endsWith("._S3rver_object"));
      return objects.map((entry) => entry.slice(0, -"._S3rver_object".length)).sort();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      s3.logger.exceptions.unhandle();
      s3.logger.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const refuse = (response: ServerResponse, { status, body }: S3Refusal): void =>
  void response.writeHead(status, { "content-type": "application/xml" }).end(body);
