// From the settings that somebody made to a whole configuration: defaults, contradictions, the frozen result.
import type { Static } from "typebox";
import Value from "typebox/value";
import { catalogue } from "./catalogue.ts";
import { defaultHome, derivedDefaults, type Host } from "./derived-defaults.ts";
import { ConfigError, type ConfigProblem } from "./problem.ts";
import { ConfigSchema } from "./schema.ts";

type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

const origin = "all settings together";

/** Every setting, loaded: durations in milliseconds, sizes in bytes, paths absolute. Frozen. */
export type Config = DeepReadonly<Static<typeof ConfigSchema>>;

/** The configuration of these values by key, over the defaults. Throws a ConfigError where there are problems. */
export function complete(
  values: ReadonlyMap<string, unknown>,
  problems: readonly ConfigProblem[],
  host: Host,
): Config {
  const home = values.get("home");
  const derived = derivedDefaults(host, typeof home === "string" ? home : defaultHome(host));
  const root: Record<string, unknown> = {};
  const sections: Record<string, Record<string, unknown>> = {};
  for (const { key, section, name, setting } of catalogue.values()) {
    const value = values.get(key) ?? derived.get(key) ?? setting.default;
    const target = section === "" ? root : (sections[section] ??= {});
    if (value !== undefined) target[name] = structuredClone(value);
  }
  const config: unknown = { ...root, ...sections };
  // Problems first: while there are some, the rest is not worth a complaint about a wrong shape.
  if (problems.length > 0) throw new ConfigError(problems);
  if (!Value.Check(ConfigSchema, config)) {
    const [error] = Value.Errors(ConfigSchema, config);
    throw new Error(`the defaults do not fit the schema: ${error?.instancePath} ${error?.message}`);
  }
  const contradictions = contradictionsOf(config);
  if (contradictions.length > 0) throw new ConfigError(contradictions);
  return deepFreeze(config);
}

/** What each setting allows alone, but not together. */
const contradictionsOf = (config: Static<typeof ConfigSchema>): ConfigProblem[] => [
  ...sharedClientIds(config),
  ...s3Problems(config),
];

function sharedClientIds({ auth }: Static<typeof ConfigSchema>): ConfigProblem[] {
  const seen = new Set([auth.rootClientId]);
  return auth.staticClients.flatMap(({ clientId }, i) => {
    if (!seen.has(clientId)) {
      seen.add(clientId);
      return [];
    }
    const other = clientId === auth.rootClientId ? "auth.rootClientId" : "another of auth.staticClients";
    const problem = `has the same clientId as ${other}: give each client an id of its own`;
    return [{ key: `auth.staticClients[${i}]`, origin, value: clientId, problem }];
  });
}

function s3Problems({ artifacts, s3 }: Static<typeof ConfigSchema>): ConfigProblem[] {
  if (artifacts.store !== "s3") return [];
  const problems: ConfigProblem[] = [];
  const wrong = (key: string, problem: string): unknown =>
    problems.push({ key: `s3.${key}`, origin, problem });
  for (const bucket of ["publicBucket", "privateBucket"] as const)
    if (s3[bucket] === undefined) wrong(bucket, "must be set, since artifacts.store is s3");
  // Keys of both would be the same in one bucket, and so private artifacts as open as public ones.
  if (s3.publicBucket !== undefined && s3.publicBucket === s3.privateBucket)
    wrong("privateBucket", `is "${s3.privateBucket}" as s3.publicBucket is: give each a bucket of its own`);
  if ((s3.accessKeyId === undefined) !== (s3.secretAccessKey === undefined))
    wrong(
      s3.accessKeyId === undefined ? "accessKeyId" : "secretAccessKey",
      "must be set too: s3.accessKeyId and s3.secretAccessKey belong together",
    );
  return problems;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
