// Public API of the configuration.
export { ConfigError } from "../core/config/problem.ts";
export { configOf, loadConfig, type PartialConfig } from "./load-config.ts";
export { loadOrCreateLocalSecrets, type LocalSecrets } from "./local-secrets.ts";
export type { Config } from "./schema.ts";
