import { rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { testDatabase, type TestDatabase } from "../../../../../test/support/db.ts";
import { testStore, type TestStore } from "../../../../../test/support/local-store.ts";
import { testMonitor } from "../../../../../test/support/monitor.ts";
import { slugid } from "../../../../lib/slugid.ts";
import { configOf } from "../../../config/index.ts";
import { deleteExpired, readArtifacts, writeArtifact, type NewArtifact } from "./store.ts";
import { expireArtifacts } from "./expire-artifacts.ts";

const minute = 60_000;
const { monitor, records } = testMonitor();
let database: TestDatabase;
let t: TestStore;
beforeEach(async () => {
  [database, t] = await Promise.all([testDatabase(), testStore()]);
});
afterEach(() => Promise.all([database.drop(), t.close()]));

/** Makes an artifact that expires in so many minutes, stored or only a row. */
async function artifact(
  taskId: string,
  name: string,
  inMinutes: number,
  storageType: "s3" | "reference" = "s3",
) {
  const made: NewArtifact = {
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
  await writeArtifact(database.db, made, null);
  if (storageType === "s3") await t.put(made, "text/plain", name);
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
  it("are removed, row and bytes, half an hour after they expired", async () => {
    const taskId = slugid();
    await artifact(taskId, "early", 10);
    await artifact(taskId, "pointer", 10, "reference");
    await artifact(taskId, "late", 20);
    const round = expireArtifacts(context());
    await t.clock.advance(40 * minute);
    expect(await round()).toEqual({ more: false });
    expect(await names(taskId)).toEqual(["early", "late", "pointer"]);
    await t.clock.advance(1);
    await round();
    expect(await names(taskId)).toEqual(["late"]);
    expect(await t.store.stat({ taskId, runId: 0, name: "early" })).toBeUndefined();
    expect(await t.store.stat({ taskId, runId: 0, name: "late" })).toMatchObject({ size: 4 });
  });

  it("go in batches, the longest expired first, until none is left", async () => {
    const taskId = slugid();
    for (let n = 0; n < 5; n++) await artifact(taskId, `a${n}`, 10 - n);
    await t.clock.advance(60 * minute);
    const round = expireArtifacts(context({ loopBatch: 2 }));
    expect([await round(), await names(taskId)]).toEqual([{ more: true }, ["a0", "a1", "a2"]]);
    expect([await round(), await names(taskId)]).toEqual([{ more: true }, ["a0"]]);
    expect([await round(), await names(taskId)]).toEqual([{ more: false }, []]);
    expect(await t.files()).toEqual([]);
  });

  it("are all looked at, also where the store keeps a whole batch of those that expired first", async () => {
    const [stuck, other] = [slugid(), slugid()];
    for (const name of ["x", "y"]) await artifact(stuck, name, 10);
    await artifact(other, "z", 11);
    const folder = dirname((await t.files()).find((file) => file.includes(stuck)) ?? "");
    await rm(folder, { recursive: true });
    await writeFile(folder, "in the way");
    await t.clock.advance(60 * minute);
    const round = expireArtifacts(context({ loopBatch: 2 }));
    expect([await round(), await names(other)]).toEqual([{ more: false }, ["z"]]);
    expect([await round(), await names(other)]).toEqual([{ more: false }, []]);
    // The list has an end, and from there they begin anew.
    await rm(folder);
    expect([await round(), await names(stuck)]).toEqual([{ more: true }, []]);
  });

  it("keep their row where they were made to last longer after they were read", async () => {
    const taskId = slugid();
    await artifact(taskId, "renewed", 10, "reference");
    const before = (minutes: number) => new Date(t.clock.now() + minutes * minute).toISOString();
    const ids = [{ taskId, runId: 0, name: "renewed" }];
    expect(await deleteExpired(database.db, ids, before(10))).toBe(0);
    expect(await deleteExpired(database.db, ids, before(11))).toBe(1);
  });

  it("stay until the store has let go of them, without keeping others back", async () => {
    const [stuck, other] = [slugid(), slugid()];
    await artifact(stuck, "x", 10);
    await artifact(other, "y", 11);
    // A file where the store keeps a folder: it cannot be read as one, even by root.
    const folder = dirname((await t.files()).find((file) => file.includes(stuck)) ?? "");
    await rm(folder, { recursive: true });
    await writeFile(folder, "in the way");

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
