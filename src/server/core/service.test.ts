import { describe, expect, it } from "vitest";
import { service as apiOf } from "../../api/service.ts";
import { createServices, defineService, serviceList, type PlatformValues } from "./service.ts";

const api = <const N extends string>(name: N) =>
  apiOf({ name, version: "v1", title: name, description: "A service.", endpoints: {}, exchanges: {} });

const counter = defineService({
  api: api("counter"),
  settings: {},
  metrics: {},
  create: () => ({ handlers: {}, provides: { next: () => 7 } }),
});
const user = defineService({
  api: api("user"),
  settings: {},
  metrics: {},
  create: (_platform, { counter: { next } }: { readonly counter: { next(): number } }) => ({
    handlers: {},
    provides: { seen: next() },
  }),
});
// The services of this test use nothing of it.
const platformOf = () => ({}) as PlatformValues;

describe("serviceList", () => {
  const ofCounter = [counter, () => Promise.resolve(counter)] as const;
  const ofUser = [user, () => Promise.resolve(user)] as const;

  it("gives each service what those before it provide", async () => {
    const services = serviceList()
      .add(...ofCounter)
      .add(...ofUser);
    const created = createServices(await services.load(), platformOf);
    expect(created.map(({ api: { name }, service }) => [name, service.provides])).toEqual([
      ["counter", { next: expect.any(Function) as unknown }],
      ["user", { seen: 7 }],
    ]);
  });

  it("does not compile if a dependency is missing or comes later", () => {
    // @ts-expect-error counter is not in the list
    const missing = () => serviceList().add(...ofUser);
    // prettier-ignore
    // @ts-expect-error counter is not in the list yet
    const late = () => serviceList().add(...ofUser).add(...ofCounter);
    expect([missing, late]).toHaveLength(2);
  });

  it("creates every service with the platform that was made for it", async () => {
    const asked: string[] = [];
    const services = serviceList()
      .add(...ofCounter)
      .add(...ofUser);
    createServices(await services.load(), ({ api: { name } }) => {
      asked.push(name);
      return platformOf();
    });
    expect(asked).toEqual(["counter", "user"]);
  });
});
