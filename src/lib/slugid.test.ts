import fc from "fast-check";
import { expect, test } from "vitest";
import { isSlugid, slugid, slugToUuid } from "./slugid.ts";

const v4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("new slugids are unique version 4 UUIDs", () => {
  const slugs = Array.from({ length: 2_000 }, slugid);
  for (const slug of slugs) {
    expect(isSlugid(slug)).toBe(true);
    expect(slugToUuid(slug)).toMatch(v4);
  }
  expect(new Set(slugs).size).toBe(slugs.length);
});

test("every free bit varies", () => {
  const seen = Array.from({ length: 22 }, () => new Set<string>());
  for (let i = 0; i < 4_000; i++)
    slugid()
      .split("")
      .forEach((char, at) => seen[at]?.add(char));
  const sizes = seen.map((chars) => chars.size);
  expect(sizes).toEqual([...Array(8).fill(64), 4, 64, 16, ...Array(10).fill(64), 4]);
});

test("a slugid decodes to the same UUID as in other tools", () => {
  expect(slugToUuid("dSlITZ4yQgmvxxAi4A8fHQ")).toBe("7529484d-9e32-4209-afc7-1022e00f1f1d");
});

test("the UUID has the bytes that base64 decodes from the slugid", () => {
  fc.assert(
    fc.property(fc.uuid({ version: 4 }), (uuid) => {
      const slug = Buffer.from(uuid.replaceAll("-", ""), "hex").toString("base64url");
      expect(isSlugid(slug)).toBe(true);
      expect(slugToUuid(slug)).toBe(uuid);
    }),
  );
});

test.each([
  ["too short", "dSlITZ4yQgmvxxAi4A8fH"],
  ["too long", "dSlITZ4yQgmvxxAi4A8fHQA"],
  ["of another version", "dSlITZ4yEgmvxxAi4A8fHQ"],
  ["of another variant", "dSlITZ4yQgAvxxAi4A8fHQ"],
  ["with bits beyond the UUID", "dSlITZ4yQgmvxxAi4A8fHR"],
  ["with a line end", "dSlITZ4yQgmvxxAi4A8fHQ\n"],
  ["of the other alphabet", "dSlITZ4yQgmvxxAi4A8f+Q"],
])("text %s is not a slugid", (_, text) => {
  expect(isSlugid(text)).toBe(false);
  expect(() => slugToUuid(text)).toThrow(`'${text}' is not a slugid`);
});
