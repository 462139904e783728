// The configuration: what flags, environment and file say, checked against one schema, over its defaults.
import { dirname, join, resolve } from "node:path";
import { didYouMean } from "../../lib/did-you-mean.ts";
import {
  catalogue,
  type CatalogueEntry,
  type ConfigKey,
  configFileVariable,
  otherVariables,
} from "./catalogue.ts";
import { checkLoaded, type Read } from "./check-value.ts";
import { complete } from "./complete.ts";
import { defaultHome, type Host, thisHost } from "./derived-defaults.ts";
import { type ConfigProblem, shown } from "../core/config/problem.ts";
import { configFileName, type FileContent, readConfigFile } from "./read-file.ts";
import { type PathBase, readText, readWritten } from "./read-value.ts";
import type { Config } from "./schema.ts";

/** Some settings of some sections, as loaded values. */
export type PartialConfig = {
  readonly [S in keyof Config]?: Config[S] extends string ? Config[S] : Partial<Config[S]>;
};

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the process was started. */
  readonly cwd: string;
  /** The file that `--config` names; it must exist. Default: `taskyard.yml` in `cwd`, else in the home folder. */
  readonly file?: string | undefined;
  /** What flags set, with the flag as the user knows it. Text is read as in a variable. */
  readonly flags?: readonly { readonly key: ConfigKey; readonly value: unknown; readonly flag: string }[];
  readonly host?: Host;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, if any. */
  readonly file: string | undefined;
  /** What is not wrong, but probably not what the user expects; for the log. */
  readonly warnings: readonly string[];
}

/**
 * Loads the configuration. Flags go over variables, variables over the file, the file over defaults; an empty
 * variable counts as not set. Throws a `ConfigError` with all problems, those of overridden values included:
 * what is wrong today would bite on the day when the override goes.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { env, cwd, flags = [], host = thisHost() } = sources;
  const collected = collector();

  const file = findFile(sources, host);
  collected.problems.push(...file.problems);
  const fromFile: PathBase = { folder: dirname(file.path ?? cwd), userHome: host.userHome };
  for (const { entry, value, origin } of file.settings) {
    collected.take(entry.key, origin, value, readWritten(entry, value, fromFile));
  }

  const fromStart: PathBase = { folder: cwd, userHome: host.userHome };
  for (const entry of catalogue.values()) {
    const name = entry.variables.find((variable) => read(env, variable) !== undefined);
    const text = name === undefined ? undefined : read(env, name);
    if (name !== undefined && text !== undefined) {
      collected.take(entry.key, name, text, readText(entry, text, fromStart));
    }
  }
  collected.problems.push(...unknownVariables(env));

  for (const { key, value, flag } of flags) {
    const entry = entryOf(key);
    const text = typeof value === "string";
    collected.take(
      key,
      flag,
      value,
      text ? readText(entry, value, fromStart) : readWritten(entry, value, fromStart),
    );
  }

  const warnings =
    read(env, "AMQP_URL") === undefined
      ? []
      : ["AMQP_URL is set, but this version has no AMQP relay: events are served from the event log alone"];
  return { config: complete(collected.values, collected.problems, host), file: file.path, warnings };
}

/** A configuration of loaded values (milliseconds, bytes) over the defaults; no file or variable is read. */
export function configOf(given: PartialConfig = {}, host: Host = thisHost()): Config {
  const collected = collector();
  for (const [section, value] of Object.entries(given)) {
    const members = typeof value === "string" ? [["", value]] : Object.entries(value);
    for (const [name, member] of members) {
      const key = name === "" ? section : `${section}.${name}`;
      if (member !== undefined)
        collected.take(key, "the calling code", member, checkLoaded(entryOf(key), member));
    }
  }
  return complete(collected.values, collected.problems, host);
}

interface Collector {
  readonly values: Map<string, unknown>;
  readonly problems: ConfigProblem[];
  /** Takes in what was read; what comes later goes over what came before. */
  take(key: string, origin: string, raw: unknown, loaded: Read): void;
}

function collector(): Collector {
  const values = new Map<string, unknown>();
  const problems: ConfigProblem[] = [];
  return {
    values,
    problems,
    take(key, origin, raw, loaded) {
      if ("value" in loaded) values.set(key, loaded.value);
      else {
        const value = shown(entryOf(key), raw);
        problems.push(...loaded.problems.map((problem) => ({ key, origin, value, problem })));
      }
    },
  };
}

/** The file that counts, with what it sets. */
function findFile(
  { env, cwd, file, flags = [] }: ConfigSources,
  host: Host,
): FileContent & { path: string | undefined } {
  const named = file ?? read(env, configFileVariable);
  if (named !== undefined) {
    const path = resolve(cwd, named);
    const origin = file === undefined ? configFileVariable : "--config";
    const missing = { key: "config file", origin, value: JSON.stringify(path), problem: "does not exist" };
    return { path, ...(readConfigFile(path) ?? { settings: [], problems: [missing] }) };
  }
  // Only a flag or variable can move the folder in which to look: a file cannot say where it is itself.
  const home = flags.find(({ key }) => key === "home")?.value ?? read(env, "TASKYARD_HOME");
  const moved =
    typeof home === "string" ? readText(entryOf("home"), home, { folder: cwd, userHome: host.userHome }) : {};
  const folder = "value" in moved && typeof moved.value === "string" ? moved.value : defaultHome(host);
  for (const path of [join(cwd, configFileName), join(folder, configFileName)]) {
    const content = readConfigFile(path);
    if (content !== undefined) return { path, ...content };
  }
  return { path: undefined, settings: [], problems: [] };
}

function unknownVariables(env: ConfigSources["env"]): ConfigProblem[] {
  const known = new Set([...catalogue.values()].flatMap((entry) => entry.variables));
  known.add(configFileVariable);
  return Object.keys(env)
    .filter((name) => name.startsWith("TASKYARD_") && !known.has(name) && !otherVariables.includes(name))
    .map((name) => {
      const meant = didYouMean(name, known);
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      return { key: name, origin: "environment", problem: `is not a known variable${hint}` };
    });
}

/** A variable's value; an empty one is how compose files and CI systems spell "not set". */
function read(env: ConfigSources["env"], name: string): string | undefined {
  const value = env[name];
  return value === "" ? undefined : value;
}

function entryOf(key: string): CatalogueEntry {
  const entry = catalogue.get(key);
  if (entry === undefined) throw new Error(`${key} is not a setting`);
  return entry;
}
