// The kinds of settings. Each function returns a TypeBox schema of the loaded value, annotated with the facts that loading,
// error messages, command line options and the reference page need in addition.
import Type, {
  type TArray,
  type TBoolean,
  type TEnum,
  type TInteger,
  type TObject,
  type TProperties,
  type TSchema,
  type TString,
} from "typebox";
import { formatDuration, formatSize, parseDuration, parseSize } from "./duration.ts";

/** A command line option that sets a setting. */
export interface SettingOption {
  /** Without the dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** Placeholder for the value in the help, such as `DIR`. */
  readonly value: string;
}

/** The facts about a setting, apart from the type of its loaded value. */
export interface SettingFacts {
  /** One or two sentences for the reference page. */
  readonly description: string;
  /** The written form, where it differs from the loaded value. */
  readonly written?: "duration" | "size" | "path" | "url";
  /** True if its value must not appear in errors. */
  readonly secret?: boolean;
  /** The default in words, where it depends on the machine or on another setting. */
  readonly derived?: string;
  /** Completes "must be …" in errors, where the pattern alone would not be clear. */
  readonly expected?: string;
  /** For settings with a command line option. */
  readonly option?: SettingOption;
}

/** The annotations and JSON Schema keywords that loading reads from a setting. */
export interface Setting extends SettingFacts {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly items?: { readonly type?: string };
}

/** Returns the annotations of a schema that was made by a function of this file. */
export function settingOf(schema: TSchema): Setting {
  // TSchema is typed as an empty object. Only the functions below make the schemas that are passed here, and a test reads
  // each of them.
  return schema as Setting;
}

/** Loaded settings, deeply read-only. */
export type ReadonlySettings<T> = T extends (infer E)[]
  ? readonly ReadonlySettings<E>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadonlySettings<T[K]> }
    : T;

/** The maximum for settings of timers, far below the 24 days at which timers overflow and fire immediately. */
export const longestTimer = "1d";

/** A group of settings with a name. */
export const section = <P extends TProperties>(description: string, properties: P): TObject<P> =>
  Type.Object(properties, { description });

interface QuantityFacts extends SettingFacts {
  readonly min?: string;
  readonly max?: string;
}

/** Declares a duration in milliseconds, written as `20m`. */
export function duration(preset: string, { min = "1ms", max, ...facts }: QuantityFacts): TInteger {
  return Type.Integer({
    ...facts,
    written: "duration",
    default: parseDuration(preset),
    minimum: parseDuration(min),
    // Four centuries: dates computed with it stay within the range of PostgreSQL and JavaScript.
    maximum: parseDuration(max ?? "146000d"),
  });
}

/** Declares a number of bytes, written as `10MB`. */
export function size(preset: string, { min = "1B", max, ...facts }: QuantityFacts): TInteger {
  return Type.Integer({
    ...facts,
    written: "size",
    default: parseSize(preset),
    minimum: parseSize(min),
    ...(max === undefined ? {} : { maximum: parseSize(max) }),
  });
}

export function count(
  range: SettingFacts & { readonly preset?: number; readonly min: number; readonly max: number },
): TInteger {
  const { preset, min, max, ...facts } = range;
  return Type.Integer({
    ...facts,
    ...(preset === undefined ? {} : { default: preset }),
    minimum: min,
    maximum: max,
  });
}

export function flag(preset: boolean, facts: SettingFacts): TBoolean {
  return Type.Boolean({ ...facts, default: preset });
}

export function text(facts: SettingFacts & { readonly preset?: string; readonly pattern?: string }): TString {
  const { preset, ...rest } = facts;
  return Type.String({ ...rest, ...(preset === undefined ? {} : { default: preset }), minLength: 1 });
}

/** Declares a path. `~/` is the home folder. Relative paths start at the folder of the config file, or the working directory. */
export function path(facts: SettingFacts): TString {
  return Type.String({ ...facts, written: "path", minLength: 1 });
}

export function choice<T extends string[]>(
  values: readonly [...T],
  facts: SettingFacts & { readonly preset?: T[number] },
): TEnum<T> {
  const { preset, ...rest } = facts;
  return Type.Enum(values, { ...rest, ...(preset === undefined ? {} : { default: preset }) });
}

export function list<T extends TSchema>(
  items: T,
  preset: readonly Type.Static<T>[],
  facts: SettingFacts,
): TArray<T> {
  return Type.Array(items, { ...facts, default: preset });
}

/** Formats a value as in the configuration file: `20m`, `10MiB`, `info`. */
export function formatSetting(setting: Setting, value: unknown): string {
  if (typeof value === "number" && setting.written === "duration") return formatDuration(value);
  if (typeof value === "number" && setting.written === "size") return formatSize(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}
