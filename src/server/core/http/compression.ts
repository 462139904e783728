// Compresses replies with gzip for callers that accept it. See docs/decisions/017.
import compress from "@fastify/compress";
import type { FastifyInstance } from "fastify";

/** The minimum size of compressed replies in bytes. */
const THRESHOLD = 1024;

/**
 * Replies up to this size are compressed in one synchronous call, which takes 0.2 ms at most. A stream through the
 * thread pool uses twice the CPU at 50 kB and one compressor per reply in flight, which only pays off for long lists.
 */
const SYNC_THRESHOLD = 64 * 1024;

/** Makes a server compress the replies of all routes except those with `compress: false`. */
export function compressReplies(app: FastifyInstance): void {
  // Called rather than registered: a registered plugin runs when the server starts, after the routes are added.
  compress(
    app,
    {
      threshold: THRESHOLD,
      syncThreshold: SYNC_THRESHOLD,
      // `identity` is listed for callers that prefer it.
      encodings: ["gzip", "identity"],
      zlibOptions: { level: 1 },
      // body.ts decompresses request bodies.
      globalDecompression: false,
    },
    (err) => {
      if (err) throw err;
    },
  );
  // Fastify removes the body of a reply to HEAD before other hooks run. Compressing first yields the headers of GET.
  app.addHook("onRoute", (route) => {
    if (route.method === "HEAD" && Array.isArray(route.onSend)) route.onSend.reverse();
  });
}
