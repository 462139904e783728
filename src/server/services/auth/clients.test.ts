import { expect, test } from "vitest";
import { QUEUE_CLIENT_ID, staticClients, type StaticClientSettings } from "./clients.ts";

const settings: StaticClientSettings = {
  secret: "a secret of 22 or more characters",
  rootClientId: "static/taskcluster/root",
  rootAccessToken: "the-token-of-the-root-client",
  staticClients: [],
  anonymousScopes: ["queue:status:*"],
};
const tool = { clientId: "static/tool", accessToken: "the-token-of-the-static-tool", scopes: ["a:*"] };
const since = Date.UTC(2026, 0, 1);

test("root and queue may do everything, now and for a thousand years", () => {
  const clients = staticClients(settings, since);
  const root = clients.client("static/taskcluster/root");
  expect(root).toMatchObject({ accessToken: settings.rootAccessToken, scopes: ["*"], disabled: false });
  expect(clients.client(QUEUE_CLIENT_ID)).toMatchObject({ scopes: ["*"], created: since, disabled: false });
  expect(new Date(root?.expires ?? 0).getUTCFullYear()).toBe(3026);
});

test("the queue's token follows from the secret alone, and has the form of all tokens", () => {
  const token = (secret: string) =>
    staticClients({ ...settings, secret, rootAccessToken: `other ${secret}` }, 0).client(QUEUE_CLIENT_ID)
      ?.accessToken;
  expect(token("one secret")).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(token("one secret")).toBe(token("one secret"));
  expect(token("one secret")).not.toBe(token("another secret"));
});

test("further clients have what the configuration gives them", () => {
  const clients = staticClients({ ...settings, staticClients: [{ ...tool, description: "A tool" }] }, since);
  expect(clients.client("static/tool")).toMatchObject({ ...tool, description: "A tool", created: since });
  expect(clients.client("static/other")).toBeUndefined();
});

test("the role anonymous grants the configured scopes", () => {
  const { roles } = staticClients(settings, since);
  expect(roles.expand(["assume:anonymous"])).toEqual(["assume:anonymous", "queue:status:*"]);
});

test.each<[string, Partial<StaticClientSettings>, string]>([
  [
    "a client with the root's id",
    { staticClients: [{ ...tool, clientId: "static/taskcluster/root" }] },
    "auth.staticClients[0].clientId = static/taskcluster/root  (configuration)\n    stands for another client already",
  ],
  [
    "a client twice",
    { staticClients: [tool, tool] },
    "auth.staticClients[1].clientId = static/tool  (configuration)\n    stands for another client already",
  ],
  [
    "a client among those of the services",
    { staticClients: [{ ...tool, clientId: "static/taskcluster/hooks" }] },
    "is reserved: ids below static/taskcluster/ belong to Taskyard's services; choose another id, such as static/my-tool",
  ],
  [
    "a root with the queue's id",
    { rootClientId: QUEUE_CLIENT_ID },
    "auth.rootClientId = static/taskcluster/queue  (configuration)\n    is the queue's own client",
  ],
])("%s is refused, with its key and a way out", (_, change, message) => {
  expect(() => staticClients({ ...settings, ...change }, since)).toThrow(message);
});
