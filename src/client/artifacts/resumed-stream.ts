// Receives content from an artifact store as one stream: a connection that breaks is resumed where it stopped, at a new URL.
import type { Clock } from "../../lib/clock.ts";
import { linkSignals } from "../../lib/linked-signal.ts";
import { pause, retry } from "../../lib/retry.ts";
import { backoffDelay } from "../../lib/backoff.ts";
import { callBackoff, type Fetch, type Reply } from "../call.ts";
import { ClientError } from "../client-error.ts";
import { limitIdle } from "./idle-limit.ts";
import { isPassing, storeFailure, storeRefusal } from "./store-error.ts";

export interface ResumedStreamOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Consecutive failures without a byte in between, after which the stream fails. */
  readonly retries: number;
  /** The method that errors name. */
  readonly method: string;
  readonly signal: AbortSignal | undefined;
  /** Returns the URL of the content. Called for each connection, because URLs expire. Does not retry. */
  locate(): Promise<string>;
}

export interface ResumedStream {
  readonly contentType: string;
  /** The number of bytes, if the store states it. */
  readonly size: number | undefined;
  readonly chunks: AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined>;
  /** Ends the connection. */
  cancel(): void;
}

/** Connects to the store. Rejects with a `ClientError`, or with the reason of the caller's signal. */
export async function openResumedStream(options: ResumedStreamOptions): Promise<ResumedStream> {
  const { clock, retries, signal } = options;
  const lifetime = linkSignals(signal);
  const connect = (from: Position): Promise<Connection> => open(options, from, lifetime.signal);
  try {
    const delay = { clock, backoff: callBackoff };
    const start = { offset: 0, etag: undefined, byRange: false };
    const first = await retry({ tries: retries + 1, retryable: isPassing, delay, signal }, () =>
      connect(start),
    );
    return {
      contentType: first.reply.headers.get("content-type") ?? "application/octet-stream",
      size: sizeOf(first.reply),
      chunks: received(options, first, connect, lifetime),
      cancel: () => lifetime.abort(),
    };
  } catch (error) {
    lifetime.abort();
    throw error;
  }
}

/** Where a connection continues. */
interface Position {
  readonly offset: number;
  /** The version of the content, if the store names it. */
  readonly etag: string | undefined;
  /** Whether the store sends a range. Otherwise it sends everything, and what was received before is skipped. */
  readonly byRange: boolean;
}

interface Connection {
  readonly reply: Reply;
  /** The next chunk, or undefined at the end. */
  next(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  close(): void;
}

async function* received(
  { clock, retries, signal }: ResumedStreamOptions,
  first: Connection,
  connect: (from: Position) => Promise<Connection>,
  lifetime: { readonly signal: AbortSignal; abort(): void },
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const { headers } = first.reply;
  const etag = headers.get("etag") ?? undefined;
  const byRange = headers.get("accept-ranges") === "bytes" && !isEncoded(first.reply);
  let connection: Connection | undefined = first;
  let offset = 0;
  let failures = 0;
  try {
    for (;;) {
      try {
        connection ??= await connect({ offset, etag, byRange });
        const chunk = await connection.next();
        if (chunk === undefined) return;
        offset += chunk.length;
        failures = 0;
        yield chunk;
      } catch (error) {
        connection?.close();
        connection = undefined;
        lifetime.signal.throwIfAborted();
        if (!isPassing(error) || failures >= retries) throw error;
        await pause(clock, backoffDelay(failures++, callBackoff), signal);
      }
    }
  } finally {
    connection?.close();
    lifetime.abort();
  }
}

async function open(
  { fetch, clock, method, locate }: ResumedStreamOptions,
  { offset, etag, byRange }: Position,
  signal: AbortSignal,
): Promise<Connection> {
  const url = await locate();
  const limit = limitIdle(clock, signal);
  const failed = (error: unknown): unknown => {
    limit.end();
    signal.throwIfAborted();
    return storeFailure(method, url, error);
  };
  const headers = {
    ...(offset > 0 && byRange && { range: `bytes=${offset}-` }),
    // Weak tags do not identify bytes.
    ...(offset > 0 && byRange && etag?.startsWith('"') && { "if-range": etag }),
  };
  const reply = await fetch(url, { headers, signal: limit.signal }).catch((error: unknown) => {
    throw failed(error);
  });
  if (!reply.ok) {
    const text = await reply.text().catch(() => "");
    limit.end();
    throw storeRefusal(method, reply.status, text);
  }
  if (etag !== undefined && (reply.headers.get("etag") ?? etag) !== etag) {
    limit.end();
    throw new ClientError("the artifact was replaced while it was downloaded: download it again", {
      method,
      code: "HashMismatch",
    });
  }
  // The consumer may take its time, here as between two chunks.
  limit.pause();
  const reader = reply.body?.getReader();
  let toSkip = reply.status === 206 ? 0 : offset;
  return {
    reply,
    async next() {
      for (;;) {
        limit.progress();
        const read = await reader?.read().catch((error: unknown) => {
          throw failed(error);
        });
        limit.pause();
        if (read?.value === undefined) return undefined;
        const { length } = read.value;
        const rest = read.value.subarray(toSkip);
        toSkip = Math.max(0, toSkip - length);
        if (rest.length > 0) return rest;
      }
    },
    close: () => limit.end(),
  };
}

const isEncoded = ({ headers }: Reply): boolean =>
  (headers.get("content-encoding") ?? "identity") !== "identity";

/** The length that the header states is that of the encoded bytes. */
function sizeOf(reply: Reply): number | undefined {
  const length = reply.headers.get("content-length");
  return length === null || isEncoded(reply) ? undefined : Number(length);
}
