// The server's face, for the commands that start one.
export type { Config } from "./config/index.ts";
export { keySourceOf } from "./core/encryption/key-source.ts";
export { createMetrics } from "./core/metrics.ts";
export { createMonitor } from "./core/monitor.ts";
export { sentrySink } from "./core/monitor-sentry.ts";
export { startLocalServer, type LocalServer, type ServerFile } from "./local.ts";
export { rotateEncryptionKeys } from "./rotate-encryption-keys.ts";
export { ROLES, startServer, type Role, type Server } from "./main.ts";
export { createTemporaryCredentials } from "./services/auth/index.ts";
