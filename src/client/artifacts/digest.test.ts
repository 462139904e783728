import fc from "fast-check";
import { expect, it } from "vitest";
import { createDigest, digestAlgorithms, webDigest } from "./digest.ts";

it("is the hash of FIPS 180", async () => {
  const digest = await createDigest("sha256");
  for (const part of ["a", "bc"]) digest.update(new TextEncoder().encode(part));
  expect(digest.hex()).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

it("is the same in browsers, also for copies", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...digestAlgorithms),
      fc.array(fc.uint8Array({ maxLength: 300 })),
      async (algorithm, chunks) => {
        const digests = await Promise.all([createDigest(algorithm), webDigest(algorithm)]);
        const hashes = digests.map((digest) => {
          for (const chunk of chunks) digest.update(chunk);
          const copy = digest.copy();
          copy.update(new Uint8Array(1));
          return [copy.hex(), digest.hex()];
        });
        expect(hashes[0]).toEqual(hashes[1]);
      },
    ),
  );
});
