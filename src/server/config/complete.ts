// Completes a configuration: adds defaults, reports contradictions, and freezes the result.
import Value from "typebox/value";
import { ConfigError, type ConfigProblem } from "../core/config/problem.ts";
import type { DeclaredSettings } from "../core/service.ts";
import { services } from "../services.ts";
import { catalog } from "./catalog.ts";
import { defaultHome, derivedDefaults, type Host } from "./derived-defaults.ts";
import { ConfigSchema, type Config } from "./schema.ts";
import { InternalError } from "../../lib/internal-error.ts";

/**
 * Returns the configuration with these values (by key) over the defaults. Throws a ConfigError if there are problems.
 */
export function complete(
  values: ReadonlyMap<string, unknown>,
  problems: readonly ConfigProblem[],
  host: Host,
): Config {
  const home = values.get("home");
  const workDir = values.get("worker.workDir");
  const derived = derivedDefaults(
    host,
    typeof home === "string" ? home : defaultHome(host),
    typeof workDir === "string" ? workDir : undefined,
  );
  const root: Record<string, unknown> = {};
  const sections: Record<string, Record<string, unknown>> = {};
  for (const { key, section, name, setting } of catalog.values()) {
    const value = values.get(key) ?? derived.get(key) ?? setting.default;
    const target = section === "" ? root : (sections[section] ??= {});
    if (value !== undefined) target[name] = structuredClone(value);
  }
  const loaded: unknown = { ...root, ...sections };
  if (problems.length > 0) throw new ConfigError(problems);
  if (!Value.Check(ConfigSchema, loaded)) {
    const [error] = Value.Errors(ConfigSchema, loaded);
    throw new InternalError(`the defaults do not fit the schema: ${error?.instancePath} ${error?.message}`);
  }
  // Config is the static type of ConfigSchema, which was checked just above.
  const config = loaded as Config;
  const contradictions = contradictionsOf(config);
  if (contradictions.length > 0) throw new ConfigError(contradictions);
  return deepFreeze(config);
}

/** Settings that are each valid but contradict each other. */
function contradictionsOf(config: Config): ConfigProblem[] {
  const declared: readonly DeclaredSettings[] = services.declared;
  // Each function takes the sections of its service, and Config has those of all services.
  const ofServices = declared.flatMap(({ contradictions }) => contradictions?.(config as never) ?? []);
  return [...ofServices, ...s3Problems(config), ...encryptionProblems(config)];
}

function s3Problems({ artifacts, s3 }: Config): ConfigProblem[] {
  if (artifacts.store !== "s3") return [];
  const problems: ConfigProblem[] = [];
  const wrong = (key: string, problem: string): unknown =>
    problems.push({ key: `s3.${key}`, origin: "all settings together", problem });
  for (const bucket of ["publicBucket", "privateBucket"] as const)
    if (s3[bucket] === undefined) wrong(bucket, "must be set, since artifacts.store is s3");
  // Both use the same keys, so private artifacts in a shared bucket would be public.
  if (s3.publicBucket !== undefined && s3.publicBucket === s3.privateBucket)
    wrong(
      "privateBucket",
      `is "${s3.privateBucket}", the same as s3.publicBucket: use two different buckets`,
    );
  if ((s3.accessKeyId === undefined) !== (s3.secretAccessKey === undefined))
    wrong(
      s3.accessKeyId === undefined ? "accessKeyId" : "secretAccessKey",
      "must also be set: s3.accessKeyId and s3.secretAccessKey require each other",
    );
  return problems;
}

function encryptionProblems({ encryption }: Config): ConfigProblem[] {
  if (encryption.keyFile === undefined || encryption.keys.length === 0) return [];
  const problem = "is set together with encryption.keys: keep one of the two, and move all keys there";
  return [{ key: "encryption.keyFile", origin: "all settings together", problem }];
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}
