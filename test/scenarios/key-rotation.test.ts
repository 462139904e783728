// Encryption keys with real processes: their creation, their rotation while servers run and are killed, and a start without them.
import { readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import Type from "typebox";
import { expect, onTestFinished, test } from "vitest";
import { connect, type Client } from "../../src/client/index.ts";
import { sql } from "../../src/server/core/sql.ts";
import { createKeyFile, readKeyFile } from "../../src/server/core/encryption/key-file.ts";
import { runCli } from "../support/captured-io.ts";
import { testDatabase, type TestDatabase } from "../support/db.ts";
import { preparedHome, startServe, startTaskyard, startUp, temporaryHome } from "../support/process.ts";
import { untilLockWaits } from "../support/lock-waits.ts";
import { testStack } from "../support/stack.ts";
import { storedTexts } from "../support/stored-texts.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { testKey } from "../support/test-key.ts";
import { eventually } from "../support/until.ts";

const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();
const mark = "hidden-52ab";
const secretOf = (name: string) => ({ secret: { [mark]: `${mark} ${name}` }, expires: inAnHour() });
const names = Array.from({ length: 25 }, (_, i) => `s${String(i).padStart(2, "0")}`);

async function expectAllSecrets({ secrets }: Client): Promise<void> {
  for (const name of names)
    expect((await secrets.get({ name })).secret).toEqual({ [mark]: `${mark} ${name}` });
}

const KeyIds = Type.Object({ id: Type.String() });
const keysInUse = async ({ db }: TestDatabase) =>
  (await db.many(KeyIds, sql`select distinct secret_key_id as id from secrets order by 1`)).map(
    ({ id }) => id,
  );

test("a rotation with two servers survives the kill of command and server in its middle", async () => {
  const database = await testDatabase();
  onTestFinished(() => database.drop());
  const { db } = database;
  const file = join(await temporaryFolder(), "keys");
  await createKeyFile(file);
  const env = { TASKYARD_ENCRYPTION_KEY_FILE: file };
  const [here, there] = await Promise.all([startServe(database.url, env), startServe(database.url, env)]);
  for (const name of names) await here.client.secrets.set({ name }, secretOf(name));
  const clientId = "tests/rotation";
  const { accessToken } = await here.client.auth.createClient(
    { clientId },
    { expires: inAnHour(), description: "", scopes: ["secrets:get:s01"] },
  );
  const [old = ""] = await keysInUse(database);
  const first = await readKeyFile(file);

  const ofDatabase = { ...env, DATABASE_URL: database.url };
  await db.tx(async (tx) => {
    // Stops the command in its second batch.
    await tx.run(sql`select from secrets where name = 's15' for update`);
    const command = startTaskyard(["encryption", "rotate"], { home: await temporaryHome(), env: ofDatabase });
    await untilLockWaits(db);
    command.signal("SIGKILL");
    await command.exitStatus();
    there.signal("SIGKILL");
    await there.exitStatus();
  });
  expect(await keysInUse(database)).toHaveLength(2);
  expect((await readKeyFile(file)).lines).toEqual([expect.any(String), ...first.lines]);
  const again = await startServe(database.url, env);
  for (const { client } of [here, again]) await expectAllSecrets(client);
  // A server that has run since before the rotation uses the new key.
  await here.client.secrets.set({ name: "s24" }, secretOf("s24"));
  await eventually(async () => {
    expect(await runCli(["encryption", "rotate"], { env: ofDatabase })).toEqual({
      status: 0,
      out: expect.stringMatching(
        /^an earlier rotation was finished.*\n\d+ values? encrypted again; the key is now \w{12}\n/,
      ),
      err: "",
    });
  });
  const [current = ""] = (await readKeyFile(file)).keys.map(({ id }) => id);
  expect(await keysInUse(database)).toEqual([current]);
  expect(current).not.toBe(old);
  expect((await readKeyFile(file)).lines).toHaveLength(1);
  const started = await testStack({ database, keySource: { file } });
  onTestFinished(() => started.stop());
  for (const { client, rootUrl } of [here, again, started]) {
    await expectAllSecrets(client);
    const own = connect({ rootUrl, credentials: { clientId, accessToken }, retries: 0 });
    expect((await own.secrets.get({ name: "s01" })).secret).toEqual(secretOf("s01").secret);
  }

  const stored = await storedTexts(db);
  const keys = [...first.lines, ...(await readKeyFile(file)).lines];
  for (const text of [stored, here.output(), there.output(), again.output()])
    for (const hidden of [mark, accessToken, here.credentials.accessToken, ...keys])
      expect(text).not.toContain(hidden);
  expect(stored).toMatch(/"s24"[^]*tests\/rotation|tests\/rotation[^]*"s24"/);

  await expect(testStack({ database, keySource: { keys: [testKey] } })).rejects.toThrow(
    `lacks the key ${current}, with which values of clients.access_token and secrets.secret are encrypted: add that key after`,
  );
});

test("taskyard up creates a key, the command rotates it, and without it the server does not start", async () => {
  const home = await preparedHome();
  const server = await startUp({ home });
  const file = join(home, "encryption-keys");
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const before = await readFile(file, "utf8");
  await server.client.secrets.set({ name: "a" }, secretOf("a"));
  const env = { TASKYARD_HOME: home };
  const { status, out } = await runCli(["encryption", "rotate", "--json"], { env });
  expect([status, JSON.parse(out)]).toEqual([
    0,
    { current: expect.any(String), retired: [expect.any(String)], values: 1, resumed: false },
  ]);
  expect(await readFile(file, "utf8")).not.toBe(before);
  expect((await server.client.secrets.get({ name: "a" })).secret).toEqual(secretOf("a").secret);
  server.signal("SIGTERM");
  await server.exitStatus();

  expect(await runCli(["encryption", "rotate"], { env })).toMatchObject({
    status: 1,
    err: expect.stringContaining(`no database is running in ${home}: start \`taskyard up\` first`),
  });
  const { keys } = await readKeyFile(file);
  await rename(file, `${file}.lost`);
  const without = startTaskyard(["up", "--port", "0", "--no-worker"], { home });
  expect(await without.exitStatus()).toBe(1);
  expect(without.output()).toContain(`lacks the key ${keys[0]?.id}, with which values of secrets.secret`);
});
