// Limits the memory of replies that their callers have not read yet.
import type { FastifyInstance } from "fastify";

/** The kernel takes shorter replies, in characters, so they are neither counted nor timed. */
export const SHORT_REPLY = 16_000;

/**
 * Makes a server close connections when the replies in flight have more than `most` characters, those that were sent first:
 * their callers have had the most time to read them. A limit on new replies instead would let callers that do not read shut
 * out all others.
 */
export function limitUnreadReplies(app: FastifyInstance, most: number): void {
  let total = 0;
  /** The replies in flight with their lengths, in the order of their beginning. */
  const unread = new Map<{ readonly close: () => void }, number>();
  app.addHook("onSend", (request, reply, payload, done) => {
    if (typeof payload !== "string" || payload.length < SHORT_REPLY) return done(null, payload);
    const own = { close: () => void request.socket.destroy() };
    unread.set(own, payload.length);
    total += payload.length;
    reply.raw.once("close", () => {
      if (unread.delete(own)) total -= payload.length;
    });
    for (const [other, length] of unread) {
      if (total <= most || other === own) break;
      unread.delete(other);
      total -= length;
      other.close();
    }
    done(null, payload);
  });
}
