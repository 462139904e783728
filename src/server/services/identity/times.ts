// The times in the life of a key. Verifiers must always find the key of a token that is valid.

const MINUTE_MS = 60_000;

/** The longest that a token may be valid; the maximum of `identity.tokenLifetime`. */
const MAX_TOKEN_MS = 60 * MINUTE_MS;

/** How far the clocks of two servers, or of a server and a verifier, may differ. */
export const LEEWAY_MS = 5 * MINUTE_MS;

/** How often each process reads the keys, should the wake-up for a new one be lost. */
export const READ_INTERVAL_MS = MINUTE_MS;

/**
 * How long a key is published before it signs, so that all processes publish it and caches of the former document have
 * expired: longer than their maximum age, the interval above and the leeway together. A process that could not read the keys for this long publishes nothing.
 */
export const PUBLISHED_BEFORE_MS = 15 * MINUTE_MS;

/** How long a key is published after the next one began to sign. */
export const PUBLISHED_AFTER_MS = MAX_TOKEN_MS + LEEWAY_MS;
