// Compares our contract with the API of Taskcluster, which is described in `facts/`.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { renderApiReference } from "../../src/api/references/api-reference.ts";
import { renderExchangesReference } from "../../src/api/references/exchanges-reference.ts";
import { referencePath } from "../../src/api/references/locations.ts";
import { renderSchemas } from "../../src/api/references/schemas.ts";
import type { Service } from "../../src/api/service.ts";
import { services } from "../../src/api/services.ts";
import { monitoringDocuments } from "../../src/server/monitoring-documents.ts";
import { services as serverServices } from "../../src/server/services.ts";
import { compareServices, type Difference, type PublishedApi } from "./compare.ts";
import { intendedDifferences } from "./differences.ts";
import { factsOf, theirServices } from "./read-facts.ts";

const ours: readonly Service[] = Object.values(services);
const documents = (await serverServices.load()).flatMap(monitoringDocuments);
/** Returns the content of a reference of the server, or an object without members. */
const contentOf = (service: Service, kind: "logs" | "metrics"): Readonly<Record<string, unknown>> => ({
  ...documents.find(({ path }) => path === referencePath(service, kind))?.content,
});

/** Returns the API that we publish, serialized and parsed as on the wire. */
function published(service: Service): PublishedApi {
  const exchanges = renderExchangesReference(service);
  const schemas = renderSchemas(service).map(({ path, content }) => [
    path.replace(`/schemas/${service.name}/`, ""),
    content,
  ]);
  return JSON.parse(
    JSON.stringify({
      api: renderApiReference(service).entries,
      exchangePrefix: exchanges?.exchangePrefix,
      exchanges: exchanges?.entries ?? [],
      metrics: contentOf(service, "metrics")["metrics"] ?? [],
      logs: contentOf(service, "logs")["types"] ?? [],
      schemas: Object.fromEntries(schemas),
    }),
  ) as PublishedApi;
}

function allDifferences(): Difference[] {
  const names = new Set([...theirServices, ...ours.map(({ name }) => name)]);
  return [...names].flatMap((name) => {
    const service = ours.find((s) => s.name === name);
    if (!service || !theirServices.includes(name))
      return [{ where: `service ${name}`, theirs: service ? undefined : name, ours: service && name }];
    return compareServices(name, factsOf(name), published(service));
  });
}

const kindOf = ({ theirs, ours: our }: Difference) =>
  our === undefined ? "missing" : theirs === undefined ? "added" : { ours: our };

describe("our references", () => {
  const found = allDifferences();

  it("exist as facts for every service of both systems", () => {
    for (const { name } of ours.filter((s) => theirServices.includes(s.name)))
      expect([name, existsSync(join(import.meta.dirname, "facts", `${name}.json`))]).toEqual([name, true]);
  });

  it("differ from those of Taskcluster only where intended", () => {
    const intended = new Set(intendedDifferences.map(({ where }) => where));
    const unlisted = found.filter(({ where }) => !intended.has(where));
    expect(unlisted, "make them equal, or list them in differences.ts with a reason").toEqual([]);
  });

  it("differ there as intended, and the list has no stale entries", () => {
    const byWhere = new Map(found.map((difference) => [difference.where, difference]));
    const stale = intendedDifferences.flatMap(({ where, is }) => {
      const difference = byWhere.get(where);
      const actual = difference
        ? kindOf(difference)
        : "no difference anymore: remove the entry from differences.ts";
      return JSON.stringify(actual) === JSON.stringify(is) ? [] : [{ where, is, actual }];
    });
    expect(stale).toEqual([]);
  });

  it("have every difference listed once, with a reason", () => {
    const wheres = intendedDifferences.map(({ where }) => where);
    expect(wheres.toSorted()).toEqual([...new Set(wheres)].toSorted());
    for (const { reason } of intendedDifferences) expect(reason).toMatch(/^[A-Z].*\.$/);
  });
});
