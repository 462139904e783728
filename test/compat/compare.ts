// Compares the API that we publish for a service with that of Taskcluster.
import { isObject, normalizeFile, type Json } from "./normalize.ts";

/** The API of a service: methods, events and schemas, in the format of the references. */
export interface PublishedApi {
  readonly api: readonly Entry[];
  readonly exchangePrefix: string;
  readonly exchanges: readonly Entry[];
  /** By file name, such as `v1/task.json`. */
  readonly schemas: Readonly<Record<string, Json>>;
  readonly metrics: readonly Entry[];
  readonly logs: readonly Entry[];
}
type Entry = { readonly name: string } & { readonly [member: string]: Json };

/** A difference from Taskcluster. */
export interface Difference {
  /** `queue createTask stability`, `queue claimWork input/properties/claimId` … */
  readonly where: string;
  readonly theirs: Json | undefined;
  readonly ours: Json | undefined;
}

/** Returns every difference between two APIs of the service `name`. */
export function compareServices(name: string, theirs: PublishedApi, ours: PublishedApi): Difference[] {
  return [
    // A service without events has no prefix. Its missing events are reported below.
    ...(ours.exchanges.length === 0
      ? []
      : differences(`${name} exchangePrefix`, theirs.exchangePrefix, ours.exchangePrefix)),
    ...compareEntries(name, "api", theirs, ours, methodMeaning),
    ...compareEntries(`${name} event`, "exchanges", theirs, ours, eventMeaning),
    ...compareEntries(`${name} metric`, "metrics", theirs, ours, metricMeaning),
    ...compareEntries(`${name} log`, "logs", theirs, ours, logMeaning),
    ...compareFiles(name, theirs, ours),
  ];
}

/** Compares entries by name. An entry that one side lacks is a single difference. */
function compareEntries(
  where: string,
  kind: "api" | "exchanges" | "metrics" | "logs",
  theirs: PublishedApi,
  ours: PublishedApi,
  meaning: (entry: Entry, api: PublishedApi) => Json,
): Difference[] {
  const names = new Set([...theirs[kind], ...ours[kind]].map((entry) => entry.name));
  return [...names].flatMap((name) => {
    const [their, our] = [theirs, ours].map((api) => api[kind].find((entry) => entry.name === name));
    if (!their || !our) return [{ where: `${where} ${name}`, theirs: their && name, ours: our && name }];
    return differences(`${where} ${name} `, meaning(their, theirs), meaning(our, ours));
  });
}

/** Returns the parts of a method that clients rely on: no prose, and the contents of the schemas beside their names. */
function methodMeaning(entry: Entry, { schemas }: PublishedApi): Json {
  const { title: _title, description: _description, query, ...rest } = entry;
  const { input, output } = entry;
  return {
    ...rest,
    query: Array.isArray(query) ? query.map(String).toSorted() : [],
    ...(typeof input === "string" && {
      "input schema": normalizeFile(fileOf(input), { schemas, defaults: true }),
    }),
    ...(typeof output === "string" && {
      "output schema": normalizeFile(fileOf(output), { schemas, defaults: false }),
    }),
  };
}

function eventMeaning(entry: Entry, { schemas }: PublishedApi): Json {
  const { title: _title, description: _description, routingKey, schema, ...rest } = entry;
  const words = Array.isArray(routingKey) ? routingKey.map(withoutSummary) : [];
  return {
    ...rest,
    routingKey: words,
    ...(typeof schema === "string" && {
      schema,
      message: normalizeFile(fileOf(schema), { schemas, defaults: false }),
    }),
  };
}

/** Returns the parts of a metric that queries of dashboards rely on. */
function metricMeaning({ type = "", labels = {}, buckets = [] }: Entry): Json {
  return { type, labels: setOf(isObject(labels) ? Object.keys(labels) : []), buckets: setOf(buckets) };
}

/** Returns the parts of a log record that programs which read logs rely on. */
function logMeaning({ type = "", version = 0, level = "", fields = {} }: Entry): Json {
  return { type, version, level, fields: setOf(isObject(fields) ? Object.keys(fields) : []) };
}

/** Returns a list as an object, so that each element that one side lacks is a difference of its own. */
const setOf = (list: Json): Json =>
  Object.fromEntries((Array.isArray(list) ? list.map(String) : []).map((item) => [item, item]));

function withoutSummary(word: Json): Json {
  if (!isObject(word)) return word;
  const { summary: _summary, ...rest } = word;
  return rest;
}

/** Compares the schemas that no method or event uses, since clients can get them by URL. */
function compareFiles(name: string, theirs: PublishedApi, ours: PublishedApi): Difference[] {
  const usedBy = ({ api, exchanges }: PublishedApi): Set<string> =>
    new Set(
      [...api, ...exchanges]
        .flatMap((e) => [e["input"], e["output"], e["schema"]])
        .filter((f) => typeof f === "string")
        .map(fileOf),
    );
  const used = new Set([...usedBy(theirs), ...usedBy(ours)]);
  return [...new Set([...Object.keys(theirs.schemas), ...Object.keys(ours.schemas)])]
    .filter((file) => !used.has(file))
    .flatMap((file) => {
      const [their, our] = [theirs, ours].map(({ schemas }) =>
        file in schemas ? normalizeFile(file, { schemas, defaults: false }) : undefined,
      );
      if (their === undefined || our === undefined)
        return [{ where: `${name} schema ${file}`, theirs: their && file, ours: our && file }];
      return differences(`${name} schema ${file} `, their, our);
    });
}

const fileOf = (reference: string): string => reference.replace(/#$/, "");

/** Returns where two values differ, down to the deepest members that both have. */
function differences(where: string, theirs: Json | undefined, ours: Json | undefined): Difference[] {
  if (isObject(theirs) && isObject(ours)) {
    const keys = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
    const below = where.endsWith(" ") ? where : `${where}/`;
    return [...keys].flatMap((key) => differences(below + key, theirs[key], ours[key]));
  }
  if (Array.isArray(theirs) && Array.isArray(ours) && theirs.length === ours.length)
    return theirs.flatMap((item, i) => differences(`${where}[${i}]`, item, ours[i]));
  return theirs === ours ? [] : [{ where, theirs, ours }];
}
