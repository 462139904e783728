// Serves the logs of running tasks over HTTP, from any byte and following the log: one server for all runs of a worker.
import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import parseRange from "range-parser";
import { slugid } from "../lib/slugid.ts";
import type { TaskLog } from "./task-log.ts";
import { messageOf } from "./worker-monitor.ts";
import { counted } from "../lib/counted.ts";

export interface LiveLogServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The URL at which readers reach this server, without a trailing slash. Default: from host and port. */
  readonly publicUrl?: string | undefined;
}

export interface LiveLogServer {
  /** Serves `log` at the returned URL, which contains a secret, until `detach`. Open requests may finish afterwards. */
  attach(log: TaskLog): { readonly url: string; detach(): void };
  close(): Promise<void>;
}

interface Entry {
  readonly secretHash: Buffer;
  readonly log: TaskLog;
}

// RFC 8673: the largest exact integer stands for the last byte of a range with an unknown end.
const unknownEnd = Number.MAX_SAFE_INTEGER;

export async function startLiveLogServer(options: LiveLogServerOptions): Promise<LiveLogServer> {
  const { host, port } = options;
  const entries = new Set<Entry>();
  const server = createServer((request, response) => void handleRequest(request, response, entries));
  server.listen(port, host);
  await once(server, "listening").catch((error: unknown) => {
    throw new Error(
      `the worker cannot serve live logs: ${messageOf(error)}. Choose another address or port for them.`,
      { cause: error },
    );
  });
  const base = options.publicUrl ?? `http://${hostPort(host, portOf(server))}`;

  return {
    attach(log) {
      const secret = slugid();
      const entry: Entry = { secretHash: hash(secret), log };
      entries.add(entry);
      return { url: `${base}/log/${secret}`, detach: () => void entries.delete(entry) };
    },
    async close() {
      const closed = once(server, "close");
      server.close();
      // Requests that follow a log would keep the server, and the worker with it, running.
      server.closeAllConnections();
      await closed;
    },
  };
}

async function handleRequest(
  request: IncomingMessage,
  response: ServerResponse,
  entries: ReadonlySet<Entry>,
): Promise<void> {
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-expose-headers", "Content-Range, Accept-Ranges");
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("cache-control", "no-store");
  const entry = find(request.url ?? "", entries);
  if (request.method === "OPTIONS") {
    response.setHeader("access-control-allow-headers", "Range");
    response.setHeader("access-control-allow-methods", "GET, HEAD, OPTIONS");
    response.writeHead(204).end();
  } else if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("allow", "GET, HEAD, OPTIONS");
    refuse(response, 405, "A live log can only be read: use GET.");
  } else if (entry === undefined) {
    refuse(
      response,
      404,
      "No task of this worker is writing a log here. The log of a finished task is among its artifacts.",
    );
  } else {
    await serve(request, response, entry.log);
  }
}

async function serve(request: IncomingMessage, response: ServerResponse, log: TaskLog): Promise<void> {
  const from = firstByte(request.headers.range);
  response.setHeader("accept-ranges", "bytes");
  response.setHeader("content-type", "text/plain; charset=utf-8");
  if (from !== undefined) {
    const { byteLength, closed } = log;
    // Clients usually resume directly after the last byte, which is valid while the log may grow.
    if (from > byteLength || (closed && from === byteLength)) {
      response.setHeader("content-range", `bytes */${byteLength}`);
      refuse(
        response,
        416,
        `This log has ${counted(byteLength, "byte")}${closed ? " and is complete" : " so far"}.`,
      );
      return;
    }
    response.statusCode = 206;
    response.setHeader(
      "content-range",
      closed ? `bytes ${from}-${byteLength - 1}/${byteLength}` : `bytes ${from}-${unknownEnd}/*`,
    );
  }
  response.flushHeaders();
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  try {
    await pipeline(
      Readable.from(log.read({ from: from ?? 0, signal: gone.signal }), { objectMode: false }),
      response,
    );
  } catch {
    // The client has closed the connection or the disk has failed. The status was sent already.
    response.destroy();
  }
}

/** Returns the first byte of a range that extends to the end. Other ranges are ignored, as HTTP allows. */
function firstByte(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const ranges = parseRange(unknownEnd, header);
  if (!Array.isArray(ranges) || ranges.type !== "bytes" || ranges.length !== 1) return undefined;
  const [range] = ranges;
  if (range === undefined || range.end !== unknownEnd - 1 || /=\s*-/.test(header)) return undefined;
  return range.start;
}

/** Finds the log of a path. Compares the hash with every entry in constant time, so that timing reveals nothing. */
function find(url: string, entries: ReadonlySet<Entry>): Entry | undefined {
  const secret = /^\/log\/([\w-]{22})$/.exec(url)?.[1];
  if (secret === undefined) return undefined;
  const wanted = hash(secret);
  let found: Entry | undefined;
  for (const entry of entries) if (timingSafeEqual(entry.secretHash, wanted)) found = entry;
  return found;
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}

function hash(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
