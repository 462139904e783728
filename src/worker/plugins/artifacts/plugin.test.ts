// The artifacts of a task as the queue gets them: names, types, encodings, errors, and failures of the store.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startFakeQueue } from "../../../../test/support/fake-queue.ts";
import type { FakeQueue } from "../../../../test/support/fake-queue.ts";
import { systemClock } from "../../../lib/clock.ts";
import { startTestWorker } from "../../../../test/support/worker.ts";
import type { TestWorker } from "../../../../test/support/worker.ts";

let queue: FakeQueue;
let worker: TestWorker;
beforeAll(async () => {
  queue = await startFakeQueue();
  worker = await startTestWorker(queue.rootUrl, { maxArtifactSize: 1_000_000 });
});
afterAll(async () => {
  await worker.end();
  await queue.close();
});

interface Entry {
  readonly type: "file" | "directory";
  readonly path: string;
  readonly [key: string]: unknown;
}

/** Runs a script in a task with these artifacts. Returns the task's id and the reason of its resolution. */
async function save(script: string, ...artifacts: Entry[]): Promise<[taskId: string, reason: string]> {
  const taskId = queue.submit({ command: [["sh", "-c", script]], maxRunTime: 60, artifacts });
  return [taskId, await queue.resolved(taskId)];
}
const byText = (a = "", b = ""): number => a.localeCompare(b);
const logOf = (taskId: string) => queue.content(taskId, "public/logs/live_backing.log");
const file = (path: string, more: object = {}): Entry => ({ type: "file", path, ...more });
const folder = (path: string, more: object = {}): Entry => ({ type: "directory", path, ...more });

describe("artifacts", () => {
  test("are files and folders, named by their paths or other names", async () => {
    const script = "mkdir -p out/sub; echo 1 > one.txt; echo 2 > out/two; echo 3 > out/sub/three";
    const [taskId, reason] = await save(
      script,
      file("one.txt"),
      file("one.txt", { name: "public/1.txt" }),
      folder("out", { name: "public/build/" }),
      folder("out/sub", { name: "" }),
    );
    expect(reason).toBe("completed");
    for (const [name, content] of [
      ["one.txt", "1\n"],
      ["public/1.txt", "1\n"],
      ["public/build/two", "2\n"],
      ["public/build/sub/three", "3\n"],
      ["three", "3\n"],
    ] as const) {
      expect(queue.content(taskId, name)).toBe(content);
    }
  });

  test("have the type, encoding and expiry from the payload, or matching defaults", async () => {
    const expires = new Date(Date.now() + 5_400_000).toISOString();
    const [taskId] = await save(
      "echo text > a.txt; echo zip > b.zip; echo odd > c.txt; : > empty.txt",
      file("a.txt"),
      file("b.zip"),
      file("c.txt", { contentType: "x/odd", contentEncoding: "identity", expires }),
      file("empty.txt", { contentEncoding: "identity" }),
    );
    expect(queue.artifact(taskId, "a.txt")).toMatchObject({
      request: {
        contentType: "text/plain; charset=utf-8",
        contentLength: 5,
        expires: queue.status(taskId).expires,
      },
      headers: { "content-type": "text/plain; charset=utf-8", "content-encoding": "gzip" },
    });
    const plain = queue.artifact(taskId, "b.zip");
    expect([plain?.headers["content-encoding"], plain?.headers["content-length"]]).toEqual([undefined, "4"]);
    expect(queue.artifact(taskId, "c.txt")?.request).toMatchObject({ contentType: "x/odd", expires });
    expect(queue.artifact(taskId, "empty.txt")).toMatchObject({ headers: { "content-length": "0" } });
  });

  test("are also saved after a failed task", async () => {
    const [taskId, reason] = await save("echo half > file; exit 1", file("file"));
    expect([reason, queue.content(taskId, "file")]).toEqual(["failed", "half\n"]);
  });

  test("may be many", async () => {
    const [taskId, reason] = await save("mkdir d; for i in $(seq 100); do echo $i > d/$i; done", folder("d"));
    expect(reason).toBe("completed");
    for (let i = 1; i <= 100; i++) expect(queue.content(taskId, `d/${i}`)).toBe(`${i}\n`);
  });
});

describe("a file that cannot be saved is replaced by an error", () => {
  test.each([
    ["a missing file", "true", file("none"), "none", "file-missing-on-worker", 'File "none" does not exist'],
    [
      "a missing folder",
      "true",
      folder("none"),
      "none",
      "file-missing-on-worker",
      'Folder "none" does not exist',
    ],
    [
      "a folder instead of a file",
      "mkdir d",
      file("d"),
      "d",
      "invalid-resource-on-worker",
      "is not a regular file",
    ],
    [
      "a link to the outside",
      "ln -s /etc/passwd l",
      file("l"),
      "l",
      "invalid-resource-on-worker",
      "is outside",
    ],
    [
      "a file that is too large",
      "head -c 1000001 /dev/zero > f",
      file("f"),
      "f",
      "too-large-file-on-worker",
      "1000001 bytes",
    ],
  ])("for %s, and the task fails", async (_, script, entry, name, reason, message) => {
    const [taskId, resolved] = await save(script, entry);
    expect(resolved).toBe("failed");
    expect(queue.artifact(taskId, name)?.request).toMatchObject({
      storageType: "error",
      reason,
      message: expect.stringContaining(message),
    });
    expect(logOf(taskId)).toContain(`[taskcluster:error] Artifact "${name}" is missing: `);
    expect(logOf(taskId)).toContain(`[taskcluster:error] Artifact "${name}": `);
  });

  test("without affecting the other files of the folder", async () => {
    const [taskId, reason] = await save(
      "mkdir d; echo 1 > d/a; ln -s ../../../../etc/passwd d/b",
      folder("d"),
    );
    expect(reason).toBe("failed");
    expect(queue.content(taskId, "d/a")).toBe("1\n");
    expect(queue.artifact(taskId, "d/b")?.request.storageType).toBe("error");
  });

  test("and the task completes if the file is optional", async () => {
    const [taskId, reason] = await save("true", file("none", { optional: true }));
    expect(reason).toBe("completed");
    expect(queue.artifact(taskId, "none")?.request.storageType).toBe("error");
    expect(logOf(taskId)).toContain('Artifact "none" is missing (it is optional): ');
  });
});

test.each([
  ["compressed", "gzip", 11],
  ["sent as it is", "identity", 1],
])(
  "a file that is removed before it is %s makes the task fail with its name, and all others are saved",
  async (_, contentEncoding, count) => {
    // Ten are uploaded concurrently, so that the eleventh is not read before one of them is complete.
    const names = Array.from({ length: count }, (_name, i) => `f${i}`);
    const last = `f${count - 1}`;
    const artifacts = names.map((name) => file(name, { contentEncoding }));
    const command = [["sh", "-c", `echo 1 | tee ${names.join(" ")}`]];
    const taskId = queue.submit({ command, maxRunTime: 60, artifacts });
    const isCreation = ({ call, path }: FakeQueue["calls"][number]): boolean =>
      call === "createArtifact" && path.includes(taskId) && /\/f\d+$/.test(path);
    // The worker gets the reply after this function has continued.
    await queue.until(() => queue.calls.some(isCreation));
    rmSync(join(worker.workDir, `tasks/task_${taskId}_0/work`, last));
    expect(await queue.resolved(taskId)).toBe("failed");
    expect(logOf(taskId)).toContain(
      `[taskcluster:error] Artifact "${last}": File "${last}" was removed before it was saved: `,
    );
    for (const name of names.slice(0, -1)) expect(queue.content(taskId, name)).toBe("1\n");
    if (count > 1)
      expect(queue.artifact(taskId, last)?.request).toMatchObject({
        storageType: "error",
        reason: "file-missing-on-worker",
      });
  },
);

describe("names", () => {
  test("of one file in two entries are one artifact", async () => {
    const script = "mkdir d; echo 1 > d/a";
    const [taskId, reason] = await save(
      script,
      folder("d", { name: "x" }),
      file("d/a", { name: "x/a", contentType: "x/y" }),
    );
    expect(reason).toBe("completed");
    expect(queue.artifact(taskId, "x/a")?.request).toMatchObject({ contentType: "x/y" });
  });

  test("of two different files are a malformed payload", async () => {
    const [taskId, reason] = await save(
      "mkdir d; echo 1 > d/a; echo 2 > b",
      folder("d"),
      file("b", { name: "d/a" }),
    );
    expect(reason).toBe("malformed-payload");
    expect(logOf(taskId)).toContain('payload.artifacts gives the name "d/a" to two different files');
  });

  test("of the worker's own artifacts are skipped in folders", async () => {
    const [taskId, reason] = await save(
      "mkdir -p public/logs; echo mine > public/logs/live.log",
      folder("public"),
    );
    expect(reason).toBe("completed");
    expect(logOf(taskId)).toContain('Not uploading "public/logs/live.log" from folder "public"');
  });

  test("that the queue would refuse make the task fail with an explanation", async () => {
    const [taskId, reason] = await save("mkdir d; echo 1 > d/ä", folder("d"));
    expect(reason).toBe("failed");
    expect(logOf(taskId)).toContain('The name of the file "d/ä" has characters other than printable ASCII');
  });
});

test.each(["text/plàin", "", " text/plain", "a\nb"])(
  "the content type %j, which cannot be sent, is a malformed payload",
  async (contentType) => {
    const [taskId, reason] = await save("echo never", file("f", { contentType }));
    expect(reason).toBe("malformed-payload");
    expect(logOf(taskId)).toContain(
      `payload.artifacts[0].contentType is ${JSON.stringify(contentType)}; it is sent`,
    );
    expect(logOf(taskId)).not.toContain("Executing command");
  },
);

test("a linked folder in the task's folder is saved, and the log names one that is not", async () => {
  const script = "mkdir -p out real; echo 1 > real/file; ln -s ../real out/inside; ln -s /etc out/outside";
  const [taskId, reason] = await save(script, folder("out"));
  expect(reason).toBe("completed");
  expect(queue.content(taskId, "out/inside/file")).toBe("1\n");
  expect(logOf(taskId)).toContain(
    'Not saved in the artifact "out/outside": "out/outside" is a link to a folder outside the task\'s folder.',
  );
});

describe("an upload", () => {
  test("is repeated from the start after a failure of the store", async () => {
    queue.inject("createArtifact", 503);
    queue.inject("upload", 503, "lose-reply", 400);
    const [taskId, reason] = await save("seq 100000 > numbers.txt", file("numbers.txt"));
    expect(reason).toBe("completed");
    expect(queue.content(taskId, "numbers.txt").split("\n").length).toBe(100_001);
  });

  test("that is refused makes the task fail with its name, and all others are saved", async () => {
    queue.inject("upload", 403);
    const files = ["a", "b", "c"].map((name) => file(name));
    const [taskId, reason] = await save("echo 1 | tee a b c", ...files);
    expect(reason).toBe("failed");
    const contents = ["a", "b", "c"].map((name) => queue.artifact(taskId, name)?.request.storageType);
    expect(contents.filter((type) => type === "s3").length).toBeGreaterThan(1);
    expect(worker.logged.join("\n")).toContain("warn: an artifact was refused");
    expect(logOf(taskId)).toMatch(
      /Artifact "[abc]" is missing: It was refused: the store replied with status 403/,
    );
  });

  test("whose creation the queue refuses makes the task fail with its name, and all others are saved", async () => {
    queue.inject("createArtifact", 200, 400);
    const files = ["a", "b", "c"].map((name) => file(name));
    const [taskId, reason] = await save("echo 1 | tee a b c", ...files);
    expect(reason).toBe("failed");
    const types = ["a", "b", "c"].map((name) => queue.artifact(taskId, name)?.request.storageType);
    expect(types.toSorted(byText)).toEqual(["error", "s3", "s3"]);
    expect(logOf(taskId)).toMatch(/^\[taskcluster:error\] Artifact "[abc]": It was refused: /m);
  });

  test("gets another URL if retries take longer than a URL is valid", async () => {
    const other = await startFakeQueue({ claimMs: 6_000_000 });
    let ahead = 0;
    const clock = { ...systemClock, now: () => Date.now() + ahead };
    const own = await startTestWorker(other.rootUrl, { clock });
    try {
      other.inject("upload", 503);
      const payload = { command: [["sh", "-c", "echo 1 > f"]], maxRunTime: 60, artifacts: [file("f")] };
      const taskId = other.submit(payload, { deadlineMs: 7_000_000 });
      await other.until(() => other.count("upload") === 1);
      ahead = 31 * 60_000;
      expect(await other.resolved(taskId)).toBe("completed");
      expect(other.content(taskId, "f")).toBe("1\n");
      const created = other.calls.filter(({ call }) => call === "createArtifact");
      expect(created.filter(({ path }) => path.endsWith("/f"))).toHaveLength(2);
    } finally {
      await own.end();
      await other.close();
    }
  });

  test("of an object whose creation had no reply is resource-unavailable", async () => {
    const other = await startFakeQueue();
    const own = await startTestWorker(other.rootUrl, { maxPutSize: 10_000 });
    try {
      other.inject("createArtifact", 200, "lose-reply", 409);
      const artifacts = [file("f", { contentEncoding: "identity" })];
      const taskId = other.submit({ command: [["sh", "-c", "seq 10000 > f"]], maxRunTime: 60, artifacts });
      expect(await other.resolved(taskId)).toBe("resource-unavailable");
      expect(other.artifact(taskId, "f")?.request).toMatchObject({ storageType: "object" });
      expect(own.logged.join("\n")).toContain('reply to the creation of the artifact "f" was lost');
    } finally {
      await own.end();
      await other.close();
    }
  });

  test("with the name of other content is a malformed payload", async () => {
    queue.inject("createArtifact", 200, 409);
    const [taskId, reason] = await save("echo 1 > f", file("f"));
    expect(reason).toBe("malformed-payload");
    expect(logOf(taskId)).toContain('The artifact "f" exists already with other content');
  });
});
