import { describe, expect, it } from "vitest";
import { didYouMean } from "./did-you-mean.ts";

describe("didYouMean", () => {
  const words = ["server.port", "server.host", "queue.claimTimeout", "log.level"];

  it.each([
    ["server.prot", "server.port"],
    ["sever.port", "server.port"],
    ["queue.claimtimeout", "queue.claimTimeout"],
    ["queue.claimTimout", "queue.claimTimeout"],
    ["log.levels", "log.level"],
  ])("for %s suggests %s", (word, meant) => {
    expect(didYouMean(word, words)).toBe(meant);
  });

  it("suggests nothing if no candidate is near", () => {
    expect(didYouMean("banana", words)).toBeUndefined();
    expect(didYouMean("x", ["y", "z"])).toBe("y");
    expect(didYouMean("", ["abc"])).toBeUndefined();
  });
});
