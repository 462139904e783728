// Command line options for the settings of the worker, derived from their declarations. `taskyard worker` and `taskyard
// up` accept those of the worker itself, `taskyard worker` also those of its registration.
import type { TObject } from "typebox";
import { registrationSettings } from "../lib/registration-settings.ts";
import { formatSetting, settingOf } from "../lib/setting.ts";
import { workerSettings } from "../lib/worker-settings.ts";
import type { ParsedLine, Valued } from "./command.ts";
import type { Flags } from "./configuration.ts";

interface SectionOptions {
  /** The options by name. */
  readonly options: Readonly<Record<string, Valued>>;
  /** Returns the settings that the options of a command line set. */
  flags(options: ParsedLine["options"]): Flags;
}

export const workerOptions = sectionOptions("worker", workerSettings);
export const registrationOptions = sectionOptions("registration", registrationSettings);

function sectionOptions(section: "worker" | "registration", { properties }: TObject): SectionOptions {
  const settings = Object.entries(properties).flatMap(([name, schema]) => {
    const setting = settingOf(schema);
    const { option } = setting;
    // The keys of a section's properties are the names of its settings.
    return option === undefined
      ? []
      : [{ key: `${section}.${name}` as Flags[number]["key"], option, setting }];
  });
  return {
    options: Object.fromEntries(
      settings.map(({ option: { name, short, value }, setting }) => {
        const preset = setting.derived ?? formatSetting(setting, setting.default);
        const summary = `${setting.description.replaceAll("`", "")} Default: ${preset}.`;
        return [name, { type: "value", value, summary, ...(short !== undefined && { short }) }];
      }),
    ),
    flags: (options) =>
      settings.flatMap(({ key, option: { name } }) => {
        const value = options[name];
        return value === undefined ? [] : [{ key, value, flag: `--${name}` }];
      }),
  };
}
