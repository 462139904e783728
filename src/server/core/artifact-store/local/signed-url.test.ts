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
  it("tells where, what and until when, ends in the name, and follows the root URL", () => {
    expect(signedUrl(key, "https://ci.example.com/yard", grant)).toMatch(
      /^https:\/\/ci\.example\.com\/yard\/artifact-store\/AAAAAAAAQAAAAAAAAAAAAA\/0\/public\/a%20b\.txt\?expires=1767225660&signature=[\w-]{43}$/,
    );
  });

  it("gives back its grant, whatever the name, also after a client has tidied its path up", () => {
    fc.assert(
      fc.property(hostileName, fc.constantFrom("GET" as const, "PUT" as const), (name, method) => {
        const contentType = method === "PUT" ? "text/plain; charset=utf-8" : "";
        const given = { ...grant, method, contentType, key: { ...grant.key, name } };
        const url = signedUrl(key, "http://h", given);
        const tidied = new URL(url.replaceAll("%2E", ".")).href;
        expect(tidied.startsWith("http://h/artifact-store/AAAAAAAAQAAAAAAAAAAAAA/0/")).toBe(true);
        expect(check(tidied, method)).toMatchObject(given);
      }),
      { numRuns: 1000 },
    );
  });

  it("is refused when anything in it is changed", () => {
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
    for (const other of changed) expect(() => check(other)).toThrow("The signature of this URL does not fit");
    expect(() => check(url, "PUT")).toThrow("was not made for PUT");
    expect(() => check(put, "GET")).toThrow("was not made for GET");
    expect(() => check(put.replace("text%2Fplain", "text%2Fhtml"), "PUT")).toThrow("does not fit");
    expect(check(put, "PUT").contentType).toBe("text/plain");
  });

  it("is refused where another secret signed it", () => {
    const other = signingKey(randomBytes(16).toString("hex"));
    expect(() => check(signedUrl(other, "http://h", grant))).toThrow("does not fit");
  });

  it("ends when it says", () => {
    const url = signedUrl(key, "http://h", grant);
    expect(check(url, "GET", now + 59_999)).toMatchObject(grant);
    expect(() => check(url, "GET", now + 60_000)).toThrow(
      new ApiError(
        "AccessDenied",
        "This URL expired at 2026-01-01T00:01:00.000Z. Ask the queue for a new one.",
      ),
    );
  });
});
