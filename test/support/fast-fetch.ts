// Sends requests for a third of the CPU time of the global `fetch`, which took a quarter of a run of all tests. It is the
// same HTTP client, undici, without the objects of the Fetch standard.
import { Readable } from "node:stream";
import type { Fetch } from "../../src/client/call.ts";
import { loadUndici } from "../../src/lib/undici.ts";

const { Agent, request } = await loadUndici();
// Not the global one, which is that of Node's own version of undici.
const dispatcher = new Agent();

/** Follows no redirects. Headers are plain objects; bodies are text or nothing. */
export const fastFetch: Fetch = async (url, { method = "GET", headers, body, signal }) => {
  const {
    statusCode,
    statusText,
    headers: replied,
    body: data,
  } = await request(url, {
    dispatcher,
    method: method as "GET",
    headers: headers as Record<string, string>,
    body: body as string | null,
    signal,
  });
  return {
    status: statusCode,
    statusText,
    ok: statusCode >= 200 && statusCode < 300,
    type: "basic",
    headers: { get: (name) => replied[name.toLowerCase()]?.toString() ?? null },
    text: () => data.text(),
    get body() {
      return Readable.toWeb(data) as ReadableStream<Uint8Array<ArrayBuffer>>;
    },
  };
};
