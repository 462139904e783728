// Loads the configuration from flags, environment variables, the config file and defaults, and checks it.
import { dirname, join, resolve } from "node:path";
import { didYouMean } from "../../lib/did-you-mean.ts";
import { catalog, type CatalogEntry, type ConfigKey, configFileVariable, otherVariables } from "./catalog.ts";
import { checkLoaded, type ReadResult } from "./check-value.ts";
import { complete } from "./complete.ts";
import { defaultHome, type Host, thisHost } from "./derived-defaults.ts";
import { type ConfigProblem, formatValue } from "../core/config/problem.ts";
import { configFileName, type FileContent, readConfigFile } from "./read-file.ts";
import { type PathBase, readText, readValue } from "./read-value.ts";
import type { Config } from "./schema.ts";
import { withoutServiceVariables } from "./service-variables.ts";
import { InternalError } from "../../lib/internal-error.ts";

/** Some settings of some sections, as loaded values. */
export type PartialConfig = {
  readonly [S in keyof Config]?: NonNullable<Config[S]> extends string ? Config[S] : Partial<Config[S]>;
};

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the process was started. */
  readonly cwd: string;
  /** The file that `--config` names; it must exist. Default: `taskyard.yml` in `cwd`, else in the home folder. */
  readonly file?: string | undefined;
  /** The settings of command line flags, with the flag for messages. Text is read as in a variable. */
  readonly flags?: readonly { readonly key: ConfigKey; readonly value: unknown; readonly flag: string }[];
  readonly host?: Host;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, if any. */
  readonly file: string | undefined;
  /** Messages for the log about settings that are valid but probably not intended. */
  readonly warnings: readonly string[];
}

/**
 * Loads the configuration. Flags override variables, variables override the file, and the file overrides defaults. An
 * empty variable is treated as not set. Throws a `ConfigError` with all problems, including those of overridden values,
 * which would surface only when the override is removed.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const env = withoutServiceVariables(sources.env, settingVariables);
  const { cwd, flags = [], host = thisHost() } = sources;
  const collected = collector();

  const file = findFile(sources, host);
  collected.problems.push(...file.problems);
  const fromFile: PathBase = { folder: dirname(file.path ?? cwd), userHome: host.userHome };
  for (const { entry, value, origin } of file.settings) {
    collected.add(entry.key, origin, value, readValue(entry, value, fromFile));
  }

  const fromStart: PathBase = { folder: cwd, userHome: host.userHome };
  for (const entry of catalog.values()) {
    const name = entry.variables.find((variable) => read(env, variable) !== undefined);
    const text = name === undefined ? undefined : read(env, name);
    if (name !== undefined && text !== undefined) {
      collected.add(entry.key, name, text, readText(entry, text, fromStart));
    }
  }
  collected.problems.push(...unknownVariables(env));

  for (const { key, value, flag } of flags) {
    const entry = entryOf(key);
    const text = typeof value === "string";
    collected.add(
      key,
      flag,
      value,
      text ? readText(entry, value, fromStart) : readValue(entry, value, fromStart),
    );
  }

  const warnings =
    read(env, "AMQP_URL") === undefined
      ? []
      : ["AMQP_URL is set, but this version has no AMQP relay: events are served from the event log alone"];
  return { config: complete(collected.values, collected.problems, host), file: file.path, warnings };
}

/** Returns the configuration for loaded values (milliseconds, bytes) and defaults. Reads no file and no variables. */
export function configOf(given: PartialConfig = {}, host: Host = thisHost()): Config {
  const collected = collector();
  for (const [section, value] of Object.entries(given)) {
    const members = typeof value === "string" ? [["", value]] : Object.entries(value);
    for (const [name, member] of members) {
      const key = name === "" ? section : `${section}.${name}`;
      if (member !== undefined)
        collected.add(key, "the calling code", member, checkLoaded(entryOf(key), member));
    }
  }
  return complete(collected.values, collected.problems, host);
}

interface Collector {
  readonly values: Map<string, unknown>;
  readonly problems: ConfigProblem[];
  /** Adds a value or its problems. A later value overrides an earlier one. */
  add(key: string, origin: string, raw: unknown, loaded: ReadResult): void;
}

function collector(): Collector {
  const values = new Map<string, unknown>();
  const problems: ConfigProblem[] = [];
  return {
    values,
    problems,
    add(key, origin, raw, loaded) {
      if ("value" in loaded) values.set(key, loaded.value);
      else {
        const value = formatValue(entryOf(key), raw);
        problems.push(...loaded.problems.map((problem) => ({ key, origin, value, problem })));
      }
    },
  };
}

/** Finds and reads the config file. */
function findFile(
  { env, cwd, file, flags = [] }: ConfigSources,
  host: Host,
): FileContent & { path: string | undefined } {
  const named = file ?? read(env, configFileVariable);
  if (named !== undefined) {
    const path = resolve(cwd, named);
    const origin = file === undefined ? configFileVariable : "--config";
    const missing = {
      key: "config file",
      origin,
      value: JSON.stringify(path),
      problem: "does not exist: create it, or correct the path",
    };
    return { path, ...(readConfigFile(path) ?? { settings: [], problems: [missing] }) };
  }
  // Only a flag or a variable can change the home folder here: the file in it is not read yet.
  const home = flags.find(({ key }) => key === "home")?.value ?? read(env, "TASKYARD_HOME");
  const given =
    typeof home === "string" ? readText(entryOf("home"), home, { folder: cwd, userHome: host.userHome }) : {};
  const folder = "value" in given && typeof given.value === "string" ? given.value : defaultHome(host);
  for (const path of [join(cwd, configFileName), join(folder, configFileName)]) {
    const content = readConfigFile(path);
    if (content !== undefined) return { path, ...content };
  }
  return { path: undefined, settings: [], problems: [] };
}

const settingVariables: ReadonlySet<string> = new Set([
  ...[...catalog.values()].flatMap((entry) => entry.variables),
  configFileVariable,
]);

function unknownVariables(env: ConfigSources["env"]): ConfigProblem[] {
  return Object.keys(env)
    .filter(
      (name) => name.startsWith("TASKYARD_") && !settingVariables.has(name) && !otherVariables.includes(name),
    )
    .map((name) => {
      const meant = didYouMean(name, settingVariables);
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      return { key: name, origin: "environment", problem: `is not a known variable: unset it${hint}` };
    });
}

/** Returns the value of a variable. Compose files and CI systems set variables to empty to mean "not set". */
function read(env: ConfigSources["env"], name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}

function entryOf(key: string): CatalogEntry {
  const entry = catalog.get(key);
  if (entry === undefined) throw new InternalError(`${key} is not a setting`);
  return entry;
}
