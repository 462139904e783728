// What every process of Taskyard does first: it loads the configuration and creates its log. Loads no code of the server, which
// workers do not need.
export { loadConfig, type Config } from "./config/index.ts";
export { createLog, type Log } from "./core/log.ts";
