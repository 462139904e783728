import { expect, test } from "vitest";
import { readMounts } from "./payload.ts";

const taskId = "fN1SbArXTPSVFNUvaOlinQ";
const good = { content: { taskId, artifact: "a.tar.gz" }, directory: "src", format: "tar.gz" };
const read = (mount: object) => readMounts([mount], { dependencies: [taskId] });

test("an archive in an artifact of a dependency is a mount", () => {
  expect(read(good)).toEqual({
    archives: [{ taskId, artifact: "a.tar.gz", sha256: undefined, directory: "src" }],
    faults: [],
  });
});

test.each([
  [
    { ...good, cacheName: "c" },
    /^payload\.mounts\[0\] is a cache \(cacheName\), which is not supported yet: this worker/,
  ],
  [
    { content: good.content, file: "f" },
    /^payload\.mounts\[0\] is a single file \(file\), which is not supported yet/,
  ],
  [
    { ...good, content: { url: "https://x" } },
    /^payload\.mounts\[0\]\.content\.url is not supported yet: this worker/,
  ],
  [{ ...good, content: { raw: "x" } }, /\.content\.raw is not supported yet/],
  [{ ...good, content: { base64: "x" } }, /\.content\.base64 is not supported yet/],
  [{ ...good, content: { namespace: "x", artifact: "a" } }, /\.content\.namespace is not supported yet/],
  [{ ...good, content: { taskId } }, /\.content lacks artifact: this worker/],
  [{ ...good, content: undefined }, /\.content lacks taskId: this worker/],
  [{ content: good.content, format: "tar.gz" }, /\] lacks directory, the folder to unpack to/],
  [{ ...good, format: "zip" }, /\] has the format "zip", which is not supported yet: this worker/],
  [{ ...good, format: undefined }, /\] has the format null, which is not supported yet/],
  [{ ...good, directory: "/etc" }, /\.directory is "\/etc"; it must be a path in the task's folder/],
  [{ ...good, directory: "a/../../b" }, /\.directory is "a\/\.\.\/\.\.\/b"; it must be a path/],
  [
    { ...good, content: { taskId: "other", artifact: "a" } },
    /\.content\.taskId is "other", which must also be among the task's dependencies/,
  ],
])("any other mount is refused with what is wrong: %j", (mount, fault) => {
  const { archives, faults } = read(mount);
  expect(archives).toEqual([]);
  expect(faults).toEqual([expect.stringMatching(fault)]);
});
