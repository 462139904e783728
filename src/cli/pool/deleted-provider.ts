// How worker-manager marks deleted pools.

/** The provider of a deleted pool. The pool is removed when its last worker is gone. */
export const DELETED_PROVIDER = "null-provider";
