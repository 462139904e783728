// Command line options for the settings of the worker, derived from their declarations. `taskyard worker` and `taskyard
// up` accept the same options.
import { formatSetting, settingOf } from "../lib/setting.ts";
import { workerSettings, type WorkerSettings } from "../lib/worker-settings.ts";
import type { ParsedLine, Valued } from "./command.ts";
import type { Flags } from "./configuration.ts";

const settings = Object.entries(workerSettings.properties).flatMap(([name, schema]) => {
  const setting = settingOf(schema);
  const { option } = setting;
  // The keys of a section's properties are the names of its settings.
  return option === undefined ? [] : [{ key: name as keyof WorkerSettings, option, setting }];
});

/** The options by name. */
export const workerOptions: Readonly<Record<string, Valued>> = Object.fromEntries(
  settings.map(({ option: { name, short, value }, setting }) => {
    const preset = setting.derived ?? formatSetting(setting, setting.default);
    const summary = `${setting.description.replaceAll("`", "")} Default: ${preset}.`;
    return [name, { type: "value", value, summary, ...(short !== undefined && { short }) }];
  }),
);

/** Returns the settings that these options set. */
export const workerFlags = (options: ParsedLine["options"]): Flags =>
  settings.flatMap(({ key, option: { name } }) => {
    const value = options[name];
    return value === undefined ? [] : [{ key: `worker.${key}` as const, value, flag: `--${name}` }];
  });
