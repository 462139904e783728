import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApiError } from "../../../../lib/errors.ts";
import { hostileName } from "../../../../../test/support/hostile-names.ts";
import { checkSignedUrl, signedUrl, signingKey, type Grant } from "./signed-url.ts";

const now = Date.UTC(2026, 0, 1);
const key = signingKey("one secret");
const grant: Grant = {
  method: "GET",
  key: { taskId: "AAAAAAAAQAAAAAAAAAAAAA", runId: 0, name: "public/a b.txt" },
  contentType: "",
  expires: now + 60_000,
};
const targetOf = (url: string): string => url.replace(/^https?:\/\/[^/]*/, "");
const check = (url: string, method: Grant["method"] = "GET", at = now): Grant =>
  checkSignedUrl(key, method, targetOf(url), at);

describe("a signed URL", () => {
  it("has the key, the expiration and the signature, ends with the name, and starts with the root URL", () => {
    expect(signedUrl(key, "https://ci.example.com/yard", grant)).toMatch(
      /^https:\/\/ci\.example\.com\/yard\/artifact-store\/AAAAAAAAQAAAAAAAAAAAAA\/0\/public\/a%20b\.txt\?expires=1767225660&signature=[\w-]{43}$/,
    );
  });

  it("yields its grant for any name, also after a client has normalized its path", () => {
    fc.assert(
      fc.property(hostileName, fc.constantFrom("GET" as const, "PUT" as const), (name, method) => {
        const contentType = method === "PUT" ? "text/plain; charset=utf-8" : "";
        const expected = { ...grant, method, contentType, key: { ...grant.key, name } };
        const url = signedUrl(key, "http://h", expected);
        const normalized = new URL(url.replaceAll("%2E", ".")).href;
        expect(normalized.startsWith("http://h/artifact-store/AAAAAAAAQAAAAAAAAAAAAA/0/")).toBe(true);
        expect(check(normalized, method)).toMatchObject(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it("is refused if any part of it is modified", () => {
    const url = signedUrl(key, "http://h", grant);
    const put = signedUrl(key, "http://h", { ...grant, method: "PUT", contentType: "text/plain" });
    const changed = [
      url.replace("/0/", "/1/"),
      url.replace("a%20b", "b%20a"),
      url.replace("public/", "public//"),
      url.replace("expires=17", "expires=18"),
      url.replace(/signature=./, (s) => (s.endsWith("A") ? "signature=B" : "signature=A")),
      url.replace(/signature=.*/, ""),
      url.replace(/.$/, ""),
      url.replace("?", "%?"),
      "http://h/artifact-store/",
    ];
    for (const other of changed) expect(() => check(other)).toThrow("The signature of this URL is invalid");
    expect(() => check(url, "PUT")).toThrow("was not created for PUT");
    expect(() => check(put, "GET")).toThrow("was not created for GET");
    expect(() => check(put.replace("text%2Fplain", "text%2Fhtml"), "PUT")).toThrow("is invalid");
    expect(check(put, "PUT").contentType).toBe("text/plain");
  });

  it("is refused if it was signed with another secret", () => {
    const other = signingKey(randomBytes(16).toString("hex"));
    expect(() => check(signedUrl(other, "http://h", grant))).toThrow("is invalid");
  });

  it("expires at its expiration time", () => {
    const url = signedUrl(key, "http://h", grant);
    expect(check(url, "GET", now + 59_999)).toMatchObject(grant);
    expect(() => check(url, "GET", now + 60_000)).toThrow(
      new ApiError(
        "AccessDenied",
        "This URL expired at 2026-01-01T00:01:00.000Z. Request a new one from the queue.",
      ),
    );
  });
});
