// The whole configuration: all settings that core, the services and the worker declare. The config file, variables,
// flags, the loaded type and the reference page derive from it.
import Type, { type TObject, type TProperties } from "typebox";
import { path, settingOf } from "../../lib/setting.ts";
import { registrationSettings, type RegistrationSettings } from "../../lib/registration-settings.ts";
import { workerSettings, type WorkerSettings } from "../../lib/worker-settings.ts";
import { access, coreSettings, type CoreConfig } from "../core/config/core-settings.ts";
import type { Sections, SettingsOf } from "../core/service.ts";
import { services } from "../services.ts";

const home = path({
  derived: "~/.taskyard",
  description:
    "The folder of this instance, with the embedded database, artifacts, secrets and the local worker's files.",
});

export const ConfigSchema: TObject = Type.Object({
  home,
  access,
  ...merged([
    coreSettings,
    ...services.declared.map(({ settings }) => settings),
    { worker: workerSettings, registration: registrationSettings },
  ]),
});

type Intersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void ? I : never;
type EachSettings<X> = X extends { readonly settings: Sections } ? SettingsOf<X["settings"]> : never;
type ServiceSettings = Intersection<EachSettings<(typeof services.declared)[number]>>;

/** The loaded settings: durations in milliseconds, sizes in bytes, paths absolute. Frozen. */
export type Config = CoreConfig &
  ServiceSettings & {
    readonly home: string;
    readonly worker: WorkerSettings;
    readonly registration: RegistrationSettings;
  };

/** Merges the sections by name. Settings of a section may be declared in several places. */
function merged(all: readonly Sections[]): TProperties {
  const sections: Record<string, TObject> = {};
  for (const declared of all)
    for (const [name, section] of Object.entries(declared)) {
      const known = sections[name];
      sections[name] = known
        ? Type.Object(
            { ...known.properties, ...section.properties },
            { description: settingOf(known).description },
          )
        : section;
    }
  return sections;
}
