import { expect, test } from "vitest";
import { serviceClient } from "../../../core/service-client.ts";
import { staticClients, type StaticClientSettings } from "./static-clients.ts";

const queue = { clientId: "static/taskcluster/queue", description: "The queue", scopes: ["*"] } as const;
const settings: StaticClientSettings = {
  serviceClients: [serviceClient(queue, "a secret of 22 or more characters")],
  rootClientId: "static/taskcluster/root",
  rootAccessToken: "the-token-of-the-root-client",
  staticClients: [],
};
const tool = { clientId: "static/tool", accessToken: "the-token-of-the-static-tool", scopes: ["a:*"] };
const since = Date.UTC(2026, 0, 1);
const byId = (of: StaticClientSettings, clientId: string) =>
  staticClients(of, since).find((client) => client.clientId === clientId);

test("root and services have their scopes for a thousand years", () => {
  const root = byId(settings, "static/taskcluster/root");
  expect(root).toMatchObject({ accessToken: settings.rootAccessToken, scopes: ["*"], disabled: false });
  expect(byId(settings, queue.clientId)).toMatchObject({ scopes: ["*"], disabled: false });
  expect(new Date(root?.expires ?? 0).getUTCFullYear()).toBe(3026);
});

test("a service's token is derived from the secret alone, in the format of all tokens", () => {
  const token = (secret: string) =>
    byId({ ...settings, serviceClients: [serviceClient(queue, secret)] }, queue.clientId)?.accessToken;
  expect(token("one secret")).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(token("one secret")).toBe(token("one secret"));
  expect(token("one secret")).not.toBe(token("another secret"));
});

test("other clients are as configured", () => {
  const configured = { ...settings, staticClients: [{ ...tool, description: "A tool" }] };
  expect(byId(configured, "static/tool")).toMatchObject({ ...tool, description: "A tool" });
  expect(byId(configured, "static/other")).toBeUndefined();
});

test.each<[string, Partial<StaticClientSettings>, string]>([
  [
    "a client with the root's id",
    { staticClients: [{ ...tool, clientId: "static/taskcluster/root" }] },
    "auth.staticClients[0].clientId = static/taskcluster/root  (configuration)\n    is the id of another client already",
  ],
  [
    "a client twice",
    { staticClients: [tool, tool] },
    "auth.staticClients[1].clientId = static/tool  (configuration)\n    is the id of another client already",
  ],
  [
    "a client with a reserved id",
    { staticClients: [{ ...tool, clientId: "static/taskcluster/hooks" }] },
    "is reserved: ids below static/taskcluster/ belong to Taskyard's services; choose another id, such as static/my-tool",
  ],
  [
    "a root with the id of a service",
    { rootClientId: queue.clientId },
    "auth.rootClientId = static/taskcluster/queue  (configuration)\n    is the client of one of Taskyard's services",
  ],
])("%s is refused, with the setting and a fix", (_, change, message) => {
  expect(() => staticClients({ ...settings, ...change }, since)).toThrow(message);
});
