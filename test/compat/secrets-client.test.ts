// Taskcluster's client drives every method of the secrets service.
import { afterAll, beforeAll, expect, it } from "vitest";
import { testStack, type Stack } from "../support/stack.ts";
import { peer } from "./peer-client.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await testStack({ roles: ["api"] });
});
afterAll(() => stack.stop());

it("the compatible client sets, reads, lists and removes secrets", async () => {
  const { rootUrl, rootCredentials: credentials } = stack;
  const secrets = new peer.Secrets({ rootUrl, credentials, retries: 0 });
  const expires = peer.fromNow("1 hour").toISOString();
  const names = ["a/b c", "a/é".normalize("NFD").replace(/[^ -~]/g, ""), "z"];
  for (const name of names) expect(await secrets.set(name, { secret: { name }, expires })).toEqual({});
  expect(await secrets.get("a/b c")).toEqual({ secret: { name: "a/b c" }, expires });
  const page = await secrets.list({ limit: 2 });
  const { continuationToken } = page;
  expect(await secrets.list({ limit: 2, continuationToken })).toEqual({ secrets: ["z"] });
  expect(page.secrets).toEqual(["a/b c", "a/e"]);
  expect(await secrets.remove("z")).toEqual({});
  expect(await secrets.remove("z")).toEqual({});
  await expect(secrets.get("z")).rejects.toMatchObject({ statusCode: 404, code: "ResourceNotFound" });
  expect(await secrets.ping()).toMatchObject({ alive: true });
  const url = secrets.buildSignedUrl(secrets.get, "a/e");
  expect(await (await fetch(url)).json()).toEqual({ secret: { name: "a/e" }, expires });
});
