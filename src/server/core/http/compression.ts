// Replies compressed with gzip, for callers who accept that. See docs/decisions/017.
import compress from "@fastify/compress";
import type { FastifyInstance } from "fastify";

/** Bytes from which on a reply is compressed. */
const THRESHOLD = 1024;

/**
 * Up to so many bytes are compressed in one call, which takes 0.2 ms at most. A stream through the thread pool costs
 * twice the CPU at 50 kB and holds a compressor for each reply under way; only long lists are worth that.
 */
const LONGEST_IN_ONE_GO = 64 * 1024;

/** Teaches a server to compress what its routes send, but for those that say `compress: false`. */
export function compressReplies(app: FastifyInstance): void {
  // Called rather than registered: a registered plugin begins when the server starts, and would miss the routes.
  compress(
    app,
    {
      threshold: THRESHOLD,
      syncThreshold: LONGEST_IN_ONE_GO,
      // `identity` is one of them for callers who prefer it.
      encodings: ["gzip", "identity"],
      zlibOptions: { level: 1 },
      // Bodies of requests are read by body.ts.
      globalDecompression: false,
    },
    (err) => {
      if (err) throw err;
    },
  );
  // Fastify takes the body from a reply to HEAD before other hooks see it. Compressed first, it has the headers of GET.
  app.addHook("onRoute", (route) => {
    if (route.method === "HEAD" && Array.isArray(route.onSend)) route.onSend.reverse();
  });
}
