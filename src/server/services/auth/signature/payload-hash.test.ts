import fc from "fast-check";
import { expect, test } from "vitest";
import { peerPayloadHash } from "../../../../../test/support/hawk-peer.ts";
import { payloadHash, payloadHashProblem } from "./payload-hash.ts";

const contentTypes = fc.constantFrom(
  undefined,
  "",
  "application/json",
  "Application/JSON; charset=utf-8",
  " a/b ;c",
);

test("payload hashes equal those of the reference implementation, for text and bytes", () => {
  fc.assert(
    fc.property(contentTypes, fc.string({ unit: "grapheme" }), (contentType, body) => {
      const expected = peerPayloadHash(body, contentType);
      expect(payloadHash(contentType, body)).toBe(expected);
      expect(payloadHash(contentType, Buffer.from(body))).toBe(expected);
    }),
  );
});

test("the hash of the specification's example is correct", () => {
  expect(payloadHash("text/plain", "Thank you for flying Hawk")).toBe(
    "Yi9LfIIFRtBEPt74PVmbTF/xVAwPn7ub15ePICfgnuY=",
  );
});

test("the signed body has no problem; for another one the problem states both hashes", () => {
  const signed = payloadHash("application/json", "{}");
  expect(payloadHashProblem(signed, "application/json", "{}")).toBeUndefined();
  const problem = payloadHashProblem(signed, "application/json", "{ }");
  const computed = payloadHash("application/json", "{ }");
  expect(problem).toContain(`Invalid payload hash: ${signed}\nComputed payload hash: ${computed}\n`);
  expect(payloadHashProblem(signed, "text/plain", "{}")).toContain("Computed payload hash: ");
  expect(payloadHashProblem("", "application/json", "{}")).toContain("Invalid payload hash: \n");
});
