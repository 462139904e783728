import { expect, it } from "vitest";
import { services as contract } from "../api/services.ts";
import { createMetrics } from "./core/metrics.ts";
import { SERVICE_CLIENT_PREFIX } from "./core/service-client.ts";
import { services as list } from "./services.ts";

const services = await list.load();

it("the server has every service of the contract", () => {
  expect(services.map(({ api }) => api.name).toSorted()).toEqual(
    Object.values(contract)
      .map(({ name }) => name)
      .toSorted(),
  );
});

it("the configuration has the settings of every service", () => {
  expect(list.declared.map(({ settings }) => settings)).toEqual(services.map(({ settings }) => settings));
});

it("no metric is declared twice, by core or a service", () => {
  const core = createMetrics().registry.getMetricsAsArray();
  const declared = services.flatMap(({ metrics }) => Object.values(metrics));
  const names = [...core, ...declared].map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["http_requests_total", "queue_pending_tasks"]));
  expect(new Set(names).size).toBe(names.length);
});

it("each service that signs has a separate client with a reserved id", () => {
  const ids = services.flatMap(({ client }) => (client ? [client.clientId] : []));
  expect(ids).toContain("static/taskcluster/queue");
  expect(ids.every((id) => id.startsWith(SERVICE_CLIENT_PREFIX))).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
});
