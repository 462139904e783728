// Loads the configuration, and creates the log. On demand, since commands that only call a server need neither.
import type * as Configure from "../server/configure.ts";
import type { Output } from "./io.ts";
import { logOutput } from "./log-output.ts";

/** Where the configuration is read from. */
export type Sources = Parameters<typeof Configure.loadConfig>[0];
export type Flags = NonNullable<Sources["flags"]>;

export interface Configured {
  readonly config: Configure.Config;
  readonly log: Configure.Log;
}

export const configOption = {
  type: "value",
  value: "FILE",
  summary: "Configuration file. Default: taskyard.yml in the current or the home folder.",
} as const;

/** Loads the configuration. Logs go to `logTo`. */
export async function configure(sources: Sources, logTo: Output): Promise<Configured> {
  // oxlint-disable-next-line no-restricted-imports -- it loads only the configuration and the log
  const { createLog, loadConfig } = await import("../server/configure.ts");
  const { config, file, warnings } = loadConfig(sources);
  const log = createLog({
    ...config.log,
    destination: logOutput(logTo, (lines) =>
      log.warn({ lines }, "log lines were dropped because the output was not read"),
    ),
    colors: logTo.isTTY === true && !sources.env["NO_COLOR"],
  });
  if (file !== undefined) log.info({ file }, "configuration file");
  for (const warning of warnings) log.warn(warning);
  return { config, log };
}

/** Loads the configuration again, with other sources. */
export async function reconfigure(sources: Sources): Promise<Configure.Config> {
  // oxlint-disable-next-line no-restricted-imports -- it loads only the configuration
  const { loadConfig } = await import("../server/configure.ts");
  return loadConfig(sources).config;
}
