import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { peerChecksBewit, peerChecksHeader, peerText } from "../../test/support/hawk-peer.ts";
import {
  authorizationHeader,
  bewitText,
  certificateText,
  decodeExt,
  encodeBewit,
  encodeExt,
  headerText,
  HawkError,
  parseAuthorizationHeader,
  parseBewit,
  payloadHead,
  splitBewit,
} from "./hawk.ts";

const printable = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)),
});
const attributeText = printable.map((text) => text.replaceAll(/["\\]/g, "")).filter((text) => text !== "");

const request = {
  ts: 1353832234,
  nonce: "j4h3g2",
  method: "get",
  resource: "/resource/1?b=1&a=2",
  host: "Example.com",
  port: 8000,
};

test("the text of a header is the example of the specification", () => {
  expect(headerText({ ...request, ext: "some-app-ext-data" })).toBe(
    "hawk.1.header\n1353832234\nj4h3g2\nGET\n/resource/1?b=1&a=2\nexample.com\n8000\n\nsome-app-ext-data\n",
  );
});

test("the texts of headers and bewits equal those of the reference implementation", () => {
  fc.assert(
    fc.property(
      fc.record({
        ts: fc.nat(),
        nonce: attributeText,
        method: fc.constantFrom("get", "PUT"),
        resource: printable.map((rest) => `/${rest}`),
        host: attributeText,
        port: fc.nat(65_535),
        hash: fc.option(attributeText, { nil: undefined }),
        ext: fc.option(fc.string(), { nil: undefined }),
      }),
      (artifacts) => {
        expect(headerText(artifacts)).toBe(peerText("header", artifacts));
        const { ts: exp, resource, host, port, ext } = artifacts;
        expect(bewitText({ exp, resource, host, port, ext })).toBe(
          peerText("bewit", { ...artifacts, nonce: "", method: "GET", hash: undefined }),
        );
      },
    ),
  );
});

test("the reference server accepts headers and bewits signed with these texts", async () => {
  const key = "some key";
  const sign = (text: string): string => createHmac("sha256", key).update(text).digest("base64");
  const target = {
    resource: "/a?b=1",
    host: "example.com",
    port: 443,
    ext: encodeExt({ authorizedScopes: [] }),
  };
  const ts = Math.floor(Date.now() / 1000);
  const header = { ...target, id: "me", ts, nonce: "n" };
  const authorization = authorizationHeader({
    ...header,
    mac: sign(headerText({ ...header, method: "get" })),
  });
  const request = { method: "GET", host: target.host, port: target.port };
  const accepted = await peerChecksHeader({ ...request, url: target.resource, authorization }, key);
  expect(accepted.ext).toBe(target.ext);
  const exp = ts + 60;
  const bewit = encodeBewit({ ...target, id: "me", exp, mac: sign(bewitText({ ...target, exp })) });
  const signedUrl = `${target.resource}&bewit=${bewit}`;
  await expect(peerChecksBewit({ ...request, url: signedUrl }, key)).resolves.toBeDefined();
});

test("newlines and backslashes in ext cannot forge a line", () => {
  expect(headerText({ ...request, ext: "a\nb\\c" })).toMatch(/\n\na\\nb\\\\c\n$/);
});

test("parsing a header is the inverse of formatting it", () => {
  const optional = fc.option(attributeText, { nil: undefined });
  fc.assert(
    fc.property(
      fc.record(
        { id: attributeText, ts: attributeText, nonce: attributeText, mac: attributeText },
        { requiredKeys: ["id", "ts", "nonce", "mac"] },
      ),
      optional,
      optional,
      (required, hash, ext) => {
        const header = { ...required, ...(hash && { hash }), ...(ext && { ext }) };
        expect(parseAuthorizationHeader(authorizationHeader(header))).toEqual(header);
      },
    ),
  );
});

test("blanks, the case of the scheme and a trailing comma do not matter", () => {
  expect(parseAuthorizationHeader('HAWK  id="a" ,ts="1",  nonce="n",mac="m" , ')).toEqual({
    id: "a",
    ts: "1",
    nonce: "n",
    mac: "m",
  });
});

test.each([
  ["", "Bad Request: Invalid header syntax"],
  ["Hawk", "Bad Request: Invalid header syntax"],
  ["Hawk  ", "Bad Request: Invalid header syntax"],
  ["Basic YTpi", "Unauthorized: the Authorization header must use the scheme Hawk, not Basic"],
  ["Bearer abc", "Unauthorized: the Authorization header must use the scheme Hawk, not Bearer"],
  ['Hawk id="a", ts="1", nonce="n"', "Bad Request: Missing attributes"],
  ['Hawk id="a", id="b"', "Bad Request: Duplicate attribute: id"],
  ['Hawk id="a", __proto__="b"', "Bad Request: Unknown attribute: __proto__"],
  ['Hawk id="a\\"b"', "Bad Request: Bad header format"],
  ['Hawk id=""', "Bad Request: Bad header format"],
  ['Hawk id="é"', "Bad Request: Bad header format"],
  ['Hawk id="a" ts="1"', "Bad Request: Bad header format"],
  ["Hawk id=a", "Bad Request: Bad header format"],
  ['Hawk id="a", ts="1", nonce="n", mac="m", app="x"', "Bad Request: app and dlg are not supported"],
])("header %s is refused: %s", (header, message) => {
  expect(() => parseAuthorizationHeader(header)).toThrow(new HawkError("form", message));
});

test("a header of 4096 characters is accepted, a longer one is refused", () => {
  const rest = 'Hawk id="", ts="1", nonce="n", mac="m"';
  const id = "a".repeat(4096 - rest.length);
  const header = rest.replace('""', `"${id}"`);
  expect(parseAuthorizationHeader(header).id).toBe(id);
  expect(() => parseAuthorizationHeader(`${header} `)).toThrow(
    new HawkError("form", "Bad Request: Header length too long"),
  );
});

test("parsing a bewit is the inverse of encoding it", () => {
  fc.assert(
    fc.property(attributeText, fc.nat(), attributeText, printable, (id, exp, mac, ext) => {
      fc.pre(!ext.includes("\\"));
      const encoded = encodeBewit({ id, exp, mac, ext });
      expect(encoded).toMatch(/^[\w-]+$/);
      expect(parseBewit(encoded)).toEqual({ id, exp: String(exp), mac, ext });
    }),
  );
});

const base64Url = (text: string): string => Buffer.from(text).toString("base64url");

test.each([
  ["", "Unauthorized: Empty bewit"],
  ["a.b", "Bad Request: Invalid bewit encoding"],
  ["YWJj=", "Bad Request: Invalid bewit encoding"],
  ["YWJjZ", "Bad Request: Invalid bewit encoding"],
  [base64Url("id\\1\\mac"), "Bad Request: Invalid bewit structure"],
  [base64Url("id\\1\\mac\\ext\\more"), "Bad Request: Invalid bewit structure"],
  [base64Url("\\1\\mac\\"), "Bad Request: Missing bewit attributes"],
  [base64Url("id\\\\mac\\"), "Bad Request: Missing bewit attributes"],
  [base64Url("id\\1\\\\"), "Bad Request: Missing bewit attributes"],
])("bewit %s is refused: %s", (bewit, message) => {
  expect(() => parseBewit(bewit)).toThrow(new HawkError("form", message));
});

test.each([
  ["/a?bewit=X", "X", "/a"],
  ["/a?b=1&bewit=X", "X", "/a?b=1"],
  ["/a?bewit=X&b=1", "X", "/a?b=1"],
  ["/a?b=1&bewit=X&c=2&d=3", "X", "/a?b=1&c=2&d=3"],
  ["/a?bewit=", "", "/a"],
  ["/a?bewit=X&", "X", "/a"],
  ["/a?bewit=X&bewit=Y", "Y", "/a?bewit=X"],
])("the bewit of %s is '%s', and the signed resource is %s", (resource, bewit, signed) => {
  expect(splitBewit(resource)).toEqual({ bewit, resource: signed });
});

test.each(["/a", "/a?b=1", "/a?xbewit=1", "/bewit=1", "/a&bewit=1?b=2", "/a?b"])(
  "%s has no bewit",
  (resource) => {
    expect(splitBewit(resource)).toBeUndefined();
  },
);

test("ext is decoded from both alphabets of base64, with and without padding", () => {
  // Long enough to contain both characters in which the alphabets differ.
  const ext = { authorizedScopes: ["~~~???>>>", "ÿ-ü."] };
  const standard = encodeExt(ext);
  expect(standard).toMatch(/[+/].*=$/);
  const urlSafe = standard.replaceAll("+", "-").replaceAll("/", "_");
  for (const text of [standard, urlSafe, standard.replace(/=+$/, ""), urlSafe.replace(/=+$/, "")]) {
    expect(decodeExt(text)).toEqual(ext);
  }
});

test.each(["abcd", "!", "", base64Url("null"), base64Url("[]"), base64Url('"x"'), base64Url("{")])(
  "ext '%s' is refused",
  (ext) => {
    expect(() => decodeExt(ext)).toThrow(new HawkError("ext", "Failed to parse ext"));
  },
);

test("a payload hash covers the media type in lower case, without parameters", () => {
  expect(payloadHead("Text/Plain ; charset=utf-8")).toBe("hawk.1.payload\ntext/plain\n");
  expect(payloadHead(undefined)).toBe("hawk.1.payload\n\n");
});

test("the text of a certificate names client and issuer only if there is an issuer", () => {
  const certificate = { version: 1, seed: "s", start: 1, expiry: 2, scopes: ["a", "b"] } as const;
  expect(certificateText(certificate, "me")).toBe("version:1\nseed:s\nstart:1\nexpiry:2\nscopes:\na\nb");
  expect(certificateText({ ...certificate, issuer: "root", scopes: [] }, "me")).toBe(
    "version:1\nclientId:me\nissuer:root\nseed:s\nstart:1\nexpiry:2\nscopes:\n",
  );
});
