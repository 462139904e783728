// The public API of the local store.
export { openLocalStore, type LocalStore } from "./local-store.ts";
export { serveLocalStore } from "./serve-local-store.ts";
