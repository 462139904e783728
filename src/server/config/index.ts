// Public API of the configuration.
export { configOf, loadConfig, type PartialConfig } from "./load-config.ts";
export { loadOrCreateLocalSecrets, type LocalSecrets } from "./local-secrets.ts";
export type { Config } from "./schema.ts";
