// The local store's face.
export { openLocalStore, type LocalStore } from "./local-store.ts";
export { serveLocalStore } from "./serve-local-store.ts";
