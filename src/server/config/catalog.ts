// The settings as a flat list, with their keys, environment variables and schemas.
import Type, { type TSchema } from "typebox";
import { ConfigSchema, type Config } from "./schema.ts";
import { type Setting, settingOf } from "../../lib/setting.ts";

type Sections = Omit<Config, "home" | "access">;

/** `home`, `access`, or section and key joined by a dot: `queue.claimTimeout`. */
export type ConfigKey =
  | "home"
  | "access"
  | { [S in keyof Sections]: `${S}.${keyof Sections[S] & string}` }[keyof Sections];

export interface CatalogEntry {
  readonly key: string;
  /** Empty for settings outside of sections. */
  readonly section: string;
  /** The key within its section. */
  readonly name: string;
  /** The environment variable of the setting, then well-known ones. The first one that is set applies. */
  readonly variables: readonly string[];
  readonly schema: TSchema;
  readonly setting: Setting;
  readonly optional: boolean;
}

// Additional variables that are common in other tools or typed often.
const wellKnownVariables: Readonly<Record<string, string>> = {
  "database.url": "DATABASE_URL",
  "server.port": "TASKYARD_PORT",
};

/** The variable with the path of the config file, like `--config`. */
export const configFileVariable = "TASKYARD_CONFIG";

/** Variables with our prefix that are not settings. The worker marks the processes of a task's run with this one. */
export const otherVariables: readonly string[] = ["TASKYARD_RUN"];

/** All settings by key, in the order of the schema. */
export const catalog: ReadonlyMap<string, CatalogEntry> = new Map(
  Object.entries(ConfigSchema.properties)
    .flatMap(([name, schema]) =>
      Type.IsObject(schema)
        ? Object.entries(schema.properties).map(([key, leaf]) => entry(name, key, leaf))
        : [entry("", name, schema)],
    )
    .map((setting) => [setting.key, setting]),
);

/** The sections by name, with their descriptions. */
export const sections: ReadonlyMap<string, string> = new Map(
  Object.entries(ConfigSchema.properties)
    .filter(([, schema]) => Type.IsObject(schema))
    .map(([name, schema]) => [name, settingOf(schema).description]),
);

function entry(section: string, name: string, schema: TSchema): CatalogEntry {
  const key = section === "" ? name : `${section}.${name}`;
  const wellKnown = wellKnownVariables[key];
  return {
    key,
    section,
    name,
    variables: [variableOf(key), ...(wellKnown === undefined ? [] : [wellKnown])],
    schema,
    setting: settingOf(schema),
    optional: Type.IsOptional(schema),
  };
}

/** Returns the variable of a key: `TASKYARD_QUEUE_CLAIM_TIMEOUT` for `queue.claimTimeout`. */
function variableOf(key: string): string {
  const snake = key.replaceAll(".", "_").replaceAll(/[A-Z]/g, (letter) => `_${letter}`);
  return `TASKYARD_${snake.toUpperCase()}`;
}
