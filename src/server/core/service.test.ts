import { describe, expect, expectTypeOf, it } from "vitest";
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
  it("gives each service what those before it provide", () => {
    const { services } = serviceList().add(counter).add(user);
    const created = createServices(services, platformOf);
    expect(created.map(({ api: { name }, service }) => [name, service.provides])).toEqual([
      ["counter", { next: expect.any(Function) as unknown }],
      ["user", { seen: 7 }],
    ]);
  });

  it("does not compile if a dependency is missing or comes later", () => {
    // @ts-expect-error counter is not in the list
    serviceList().add(user);
    // @ts-expect-error counter is not in the list yet
    serviceList().add(user).add(counter);
    expectTypeOf(serviceList().add(counter).add(user).services[1].api.name).toEqualTypeOf<"user">();
  });

  it("creates every service with the platform that was made for it", () => {
    const asked: string[] = [];
    const { services } = serviceList().add(counter).add(user);
    createServices(services, ({ api: { name } }) => {
      asked.push(name);
      return platformOf();
    });
    expect(asked).toEqual(["counter", "user"]);
  });
});
