// The settings as a flat list: their keys, the variables that set them, and what is known of each.
import Type, { type TSchema } from "typebox";
import { ConfigSchema, type Config } from "./schema.ts";
import { type Setting, settingOf } from "../../lib/setting.ts";

type Sections = Omit<Config, "home">;

/** `home`, or section and key joined by a dot: `queue.claimTimeout`. */
export type ConfigKey =
  | "home"
  | { [S in keyof Sections]: `${S}.${keyof Sections[S] & string}` }[keyof Sections];

export interface CatalogueEntry {
  readonly key: string;
  /** Empty for `home`. */
  readonly section: string;
  /** The key within its section. */
  readonly name: string;
  /** The variable of its own, then well-known ones; the first that is set counts. */
  readonly variables: readonly string[];
  readonly schema: TSchema;
  readonly setting: Setting;
  readonly optional: boolean;
}

// Variables with names of their own, because everybody knows them or because they are typed so often.
const wellKnownVariables: Readonly<Record<string, string>> = {
  "database.url": "DATABASE_URL",
  "server.port": "TASKYARD_PORT",
};

/** Names the config file, as `--config` does. */
export const configFileVariable = "TASKYARD_CONFIG";

/** Variables with our prefix that are not settings: the worker marks the processes of a task's run with it. */
export const otherVariables: readonly string[] = ["TASKYARD_RUN"];

/** Every setting by key, in the order of the schema. */
export const catalogue: ReadonlyMap<string, CatalogueEntry> = new Map(
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

function entry(section: string, name: string, schema: TSchema): CatalogueEntry {
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

/** `queue.claimTimeout` is `TASKYARD_QUEUE_CLAIM_TIMEOUT`. */
function variableOf(key: string): string {
  const snake = key.replaceAll(".", "_").replaceAll(/[A-Z]/g, (letter) => `_${letter}`);
  return `TASKYARD_${snake.toUpperCase()}`;
}
