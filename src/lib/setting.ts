// The kinds of settings a config schema is made of. Each is a TypeBox schema of the loaded value, annotated
// with what loading, error messages and the reference page need to know beside it.
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
  /** What stands for the value in the help, such as `DIR`. */
  readonly value: string;
}

/** What is known of a setting besides the type of its loaded value. */
export interface SettingFacts {
  /** One or two sentences for the reference page. */
  readonly description: string;
  /** How people write it, where that is not simply the value. */
  readonly written?: "duration" | "size" | "path" | "url";
  /** Its value never appears in errors. */
  readonly secret?: boolean;
  /** The default in words, where the machine or another setting decides it. */
  readonly derived?: string;
  /** Completes "must be …" where a pattern alone would not help. */
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

/** Sees a schema made by this file as what it is. */
export function settingOf(schema: TSchema): Setting {
  // TSchema is typed as an empty object; only the functions below make the schemas that come here, and
  // a test reads every one of them through this door.
  return schema as Setting;
}

/** Loaded settings, deeply read-only. */
export type ReadonlySettings<T> = T extends (infer E)[]
  ? readonly ReadonlySettings<E>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadonlySettings<T[K]> }
    : T;

/** What sets a timer stays far below the 24 days at which timers overflow and fire at once. */
export const longestTimer = "1d";

/** Settings that stand together under one name. */
export const section = <P extends TProperties>(description: string, properties: P): TObject<P> =>
  Type.Object(properties, { description });

interface QuantityFacts extends SettingFacts {
  readonly min?: string;
  readonly max?: string;
}

/** Milliseconds, written as `20m`. */
export function duration(preset: string, { min = "1ms", max, ...facts }: QuantityFacts): TInteger {
  return Type.Integer({
    ...facts,
    written: "duration",
    default: parseDuration(preset),
    minimum: parseDuration(min),
    // Four centuries: dates made from it stay within what PostgreSQL and JavaScript can write.
    maximum: parseDuration(max ?? "146000d"),
  });
}

/** Bytes, written as `10MB`. */
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

/** A path: `~/` is the user's folder; a relative one starts at the config file, or where the process started. */
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

/** A value as people would write it in the file: `20m`, `10MiB`, `info`. */
export function written(setting: Setting, value: unknown): string {
  if (typeof value === "number" && setting.written === "duration") return formatDuration(value);
  if (typeof value === "number" && setting.written === "size") return formatSize(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}
