// The local store's face.
export { openLocalStore, type LocalStore, type LocalStoreOptions } from "./local-store.ts";
export { serveLocalStore, type ServeLocalStoreOptions } from "./serve-local-store.ts";
