import { rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { testStore, type TestStore } from "../../../../../test/support/local-store.ts";
import { testMonitor } from "../../../../../test/support/monitor.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { configOf } from "../../../config/index.ts";
import { deleteExpired } from "./store/expired-artifacts.ts";
import { readArtifacts } from "./store/read-artifacts.ts";
import { writeArtifact, type NewArtifact } from "./store/write-artifact.ts";
import { expireArtifacts } from "./expire-artifacts.ts";

const minute = 60_000;
const { monitor, records } = testMonitor();
let database: TestDatabase;
let t: TestStore;
beforeEach(async () => {
  [database, t] = await Promise.all([testDatabase(), testStore()]);
});
afterEach(() => Promise.all([database.drop(), t.close()]));

/** Creates an artifact that expires in `inMinutes` minutes: with bytes in the store (s3), or only a row (reference). */
async function createArtifact(
  taskId: string,
  name: string,
  inMinutes: number,
  storageType: "s3" | "reference" = "s3",
) {
  const artifact: NewArtifact = {
    taskId,
    runId: 0,
    name,
    storageType,
    contentType: "text/plain",
    contentLength: null,
    details: "{}",
    present: true,
    expires: new Date(t.clock.now() + inMinutes * minute).toISOString(),
  };
  await writeArtifact(database.db, artifact, null);
  if (storageType === "s3") await t.put(artifact, "text/plain", name);
}

const context = (config: { loopBatch?: number } = {}) => ({
  db: database.db,
  clock: t.clock,
  config: configOf({ queue: config }).queue,
  monitor,
  artifacts: t.store,
});
const names = async (taskId: string) =>
  (await readArtifacts(database.db, taskId, 0, "", 1000)).map(({ name }) => name);

describe("expired artifacts", () => {
  it("are removed, both row and bytes, half an hour after they expired", async () => {
    const taskId = slugid();
    await createArtifact(taskId, "early", 10);
    await createArtifact(taskId, "pointer", 10, "reference");
    await createArtifact(taskId, "late", 20);
    const runOnce = expireArtifacts(context());
    await t.clock.advance(40 * minute);
    expect(await runOnce()).toEqual({ more: false });
    expect(await names(taskId)).toEqual(["early", "late", "pointer"]);
    await t.clock.advance(1);
    await runOnce();
    expect(await names(taskId)).toEqual(["late"]);
    expect(await t.store.stat({ taskId, runId: 0, name: "early" })).toBeUndefined();
    expect(await t.store.stat({ taskId, runId: 0, name: "late" })).toMatchObject({ size: 4 });
  });

  it("are removed in batches, the longest expired first, until none is left", async () => {
    const taskId = slugid();
    for (let n = 0; n < 5; n++) await createArtifact(taskId, `a${n}`, 10 - n);
    await t.clock.advance(60 * minute);
    const runOnce = expireArtifacts(context({ loopBatch: 2 }));
    expect([await runOnce(), await names(taskId)]).toEqual([{ more: true }, ["a0", "a1", "a2"]]);
    expect([await runOnce(), await names(taskId)]).toEqual([{ more: true }, ["a0"]]);
    expect([await runOnce(), await names(taskId)]).toEqual([{ more: false }, []]);
    expect(await t.files()).toEqual([]);
  });

  it("are all reached, even if the bytes of a full batch of the longest expired cannot be removed", async () => {
    const [stuck, other] = [slugid(), slugid()];
    for (const name of ["x", "y"]) await createArtifact(stuck, name, 10);
    await createArtifact(other, "z", 11);
    const folder = dirname((await t.files()).find((file) => file.includes(stuck)) ?? "");
    await rm(folder, { recursive: true });
    await writeFile(folder, "not a folder");
    await t.clock.advance(60 * minute);
    const runOnce = expireArtifacts(context({ loopBatch: 2 }));
    expect([await runOnce(), await names(other)]).toEqual([{ more: false }, ["z"]]);
    expect([await runOnce(), await names(other)]).toEqual([{ more: false }, []]);
    // After the end of the list, the loop starts from the beginning.
    await rm(folder);
    expect([await runOnce(), await names(stuck)]).toEqual([{ more: true }, []]);
  });

  it("keep their row if their expiry was extended after they were read", async () => {
    const taskId = slugid();
    await createArtifact(taskId, "renewed", 10, "reference");
    const inMinutes = (minutes: number) => new Date(t.clock.now() + minutes * minute).toISOString();
    const ids = [{ taskId, runId: 0, name: "renewed" }];
    expect(await deleteExpired(database.db, ids, inMinutes(10))).toBe(0);
    expect(await deleteExpired(database.db, ids, inMinutes(11))).toBe(1);
  });

  it("are kept until the store has removed their bytes, without blocking others", async () => {
    const [stuck, other] = [slugid(), slugid()];
    await createArtifact(stuck, "x", 10);
    await createArtifact(other, "y", 11);
    // A file in place of the store's folder: it cannot be read as a folder, even by root.
    const folder = dirname((await t.files()).find((file) => file.includes(stuck)) ?? "");
    await rm(folder, { recursive: true });
    await writeFile(folder, "not a folder");

    await t.clock.advance(60 * minute);
    expect(await expireArtifacts(context())()).toEqual({ more: false });
    expect([await names(stuck), await names(other)]).toEqual([["x"], []]);
    expect(records).toContainEqual(
      expect.objectContaining({
        level: "error",
        taskId: stuck,
        name: "x",
        msg: expect.stringContaining("ENOTDIR"),
      }),
    );

    await rm(folder);
    await expireArtifacts(context())();
    expect(await names(stuck)).toEqual([]);
  });
});
