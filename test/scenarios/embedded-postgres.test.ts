import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { Type } from "typebox";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { prepareCluster } from "../support/cluster.ts";
import { makeTemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { onlyAsRoot, onlyOnLinux } from "../support/only-if.ts";
import { openDb, type Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";
import {
  startEmbeddedPostgres,
  type EmbeddedPostgres,
} from "../../src/server/core/embedded-postgres/index.ts";
import { isAlive } from "../../src/server/core/embedded-postgres/lock-files.ts";
import { canEnter } from "../../src/lib/system-users.ts";

const nobody = { uid: 65534, gid: 65534 };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A prepared cluster that most tests share, because creating one takes as long as all other tests of this file. */
let home = "";
beforeAll(async () => {
  home = path.join(await makeTemporaryFolder(), `it's a "home"`, "postgres");
  await prepareCluster(home);
});
afterAll(() => rm(path.dirname(path.dirname(home)), { recursive: true }));

/** Returns a path with a space, `'` and `"`, which are special in configuration files. */
const newHome = async (): Promise<string> => path.join(await temporaryFolder(), `it's a "home"`, "postgres");

async function start(dataDir: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log: silent, settings: { fsync: false } });
  onTestFinished(() => server.stop());
  return server;
}

function connect(url: string): Db {
  const db = openDb({ url, checkRows: true });
  onTestFinished(() => db.close());
  return db;
}

/** Reads a setting of the server. */
const setting = async (db: Db, name: string): Promise<string | undefined> =>
  (await db.maybeOne(Type.Object({ value: Type.String() }), sql`select current_setting(${name}) as value`))
    ?.value;

const ended = (pid: number): Promise<boolean> => until(`the end of ${pid}`, async () => !isAlive(pid));

/** Kills a process of this test. */
const kill = (pid: number): void => void process.kill(pid, "SIGKILL");

/** Starts a server in a child process and waits for its output. */
async function startProcess(
  dataDir: string,
  user = {},
): Promise<{ child: ChildProcess; output: Record<string, unknown> }> {
  const script = path.resolve("test/support/embedded-postgres-process.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, dataDir], {
    ...user,
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], TMPDIR: path.dirname(dataDir) },
  });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return { child, output: JSON.parse(String(line)) };
}

describe("a server that is started", () => {
  test("creates a cluster the first time, and keeps its data", async () => {
    const fresh = await newHome();
    const first = await start(fresh);
    const { pid } = first;
    const before = openDb({ url: first.url });
    await before.run(sql`create table kept (id int4)`);
    await before.close();
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    expect(first.pid).toBe(0);

    const second = await start(fresh);
    expect(second.url).toBe(first.url);
    expect(await connect(second.url).run(sql`select from kept`)).toBe(0);
  });

  test("is ready in less than a second if the cluster exists", async () => {
    // One fast start is enough: other processes on this machine can only slow it down.
    let fastest = Infinity;
    for (let i = 0; i < 10 && fastest > 1_000; i++) {
      const startTime = performance.now();
      await (await start(home)).stop();
      fastest = Math.min(fastest, performance.now() - startTime);
    }
    expect(fastest).toBeLessThan(1_000);
  });

  test("listens only on a socket that is accessible to its user alone", async () => {
    const { url } = await start(home);
    const db = connect(url);
    expect(await setting(db, "listen_addresses")).toBe("");
    const run = path.join(home, "run");
    expect(await setting(db, "unix_socket_directories")).toBe(`"${run.replaceAll('"', '""')}"`);
    expect((await stat(run)).mode & 0o777).toBe(0o700);
    expect((await stat(path.join(home, "data"))).mode & 0o777).toBe(0o700);
  });

  test("accepts only the user of this process, also in a cluster that was created to trust everyone", async () => {
    const cluster = path.join(home, "data");
    const rules = path.join(cluster, "pg_hba.conf");
    const before = await readFile(rules);
    await writeFile(rules, "local all all trust\nhost all all all trust\n");
    onTestFinished(() => writeFile(rules, before));
    const server = await start(home);
    const db = connect(server.url);
    await db.run(sql`create role intruder login superuser`);
    onTestFinished(() => db.run(sql`drop role intruder`).then(() => undefined));
    const url = server.url.replace("taskyard@", "intruder@");
    await expect(connect(url).run(sql`select 1`)).rejects.toMatchObject({
      cause: { message: 'Peer authentication failed for user "intruder"' },
    });
  });

  test("refuses other users that can open the socket", onlyAsRoot, async () => {
    const server = await start(home);
    await connect(server.url).run(sql`select 1`);
    const socket = new URL(server.url.replace("@/", "@x/")).searchParams.get("host") ?? "";
    // Without this, the permissions of the files already refuse them. The next start restores them.
    await chmod(socket, 0o711);
    await chmod(path.join(socket, ".s.PGSQL.5432"), 0o777);
    const script = `
      const { default: pg } = await import("pg");
      process.setuid(${nobody.uid});
      const client = new pg.Client({ user: "taskyard", database: "taskyard", host: process.argv[1] });
      await client.connect().then(() => console.log("connected"), (error) => console.log(error.message));
      process.exit();`;
    // Only root can read the modules, so the process loads them before it becomes the other user.
    const child = spawn(process.execPath, ["--input-type=module", "-e", script, "--", socket]);
    let output = "";
    for await (const chunk of child.stdout) output += String(chunk);
    expect(output).toBe('Peer authentication failed for user "taskyard"\n');
  });

  test("sorts text by code point and uses UTF-8 on every machine", async () => {
    const db = connect((await start(home)).url);
    expect(await setting(db, "server_encoding")).toBe("UTF8");
    const sorted = sql`select string_agg(c, '' order by c) as value from unnest(array['é', 'b', 'A', 'a', 'B']) c`;
    expect(await db.maybeOne(Type.Object({ value: Type.String() }), sorted)).toEqual({ value: "ABabé" });
  });

  test("uses the caller's settings, which `alter system` overrides", async () => {
    const first = await start(home);
    const db = openDb({ url: first.url });
    expect(await setting(db, "fsync")).toBe("off");
    expect(await setting(db, "random_page_cost")).toBe("1.1");
    await db.run(sql`alter system set random_page_cost = 2`);
    onTestFinished(() => rm(path.join(home, "data", "postgresql.auto.conf")));
    await db.close();
    await first.stop();
    expect(await setting(connect((await start(home)).url), "random_page_cost")).toBe("2");
  });

  test("does not inherit our environment", onlyOnLinux, async () => {
    vi.stubEnv("TASKCLUSTER_ACCESS_TOKEN", "secret-of-ours");
    onTestFinished(() => void vi.unstubAllEnvs());
    const { pid } = await start(home);
    expect(await readFile(`/proc/${pid}/environ`, "utf8")).not.toContain("secret-of-ours");
  });
});

describe("a server that is killed", () => {
  test("is restarted at the same address with its data", async () => {
    const server = await start(home);
    const db = connect(server.url);
    await db.run(sql`create table kept (id int4)`);
    const { pid } = server;
    kill(pid);
    await ended(pid);
    await until("the server to be back", () =>
      db.run(sql`select from kept`).then(
        () => true,
        () => false,
      ),
    );
    // It accepts connections shortly before it logs that it is ready.
    await until("its id", async () => server.pid !== 0);
    expect(server.pid).not.toBe(pid);
    expect(isAlive(server.pid)).toBe(true);
  });

  test("leaves a pid file that does not prevent a start, even if another program has the id now", async () => {
    const first = await start(home);
    const { pid } = first;
    const pidFile = path.join(home, "data", "postmaster.pid");
    const lines = (await readFile(pidFile, "utf8")).split("\n");
    const socketLock = await readFile(path.join(home, "run", ".s.PGSQL.5432.lock"), "utf8");
    await first.stop();
    // As after a crash and a reboot: our parent process has the id now.
    const other = String(process.ppid);
    await writeFile(pidFile, [other, ...lines.slice(1)].join("\n"));
    await writeFile(path.join(home, "run", ".s.PGSQL.5432.lock"), socketLock.replace(String(pid), other));
    await writeFile(path.join(home, "owner.pid"), other);
    const second = await start(home);
    expect(await setting(connect(second.url), "fsync")).toBe("off");
  });

  test("together with its watchdog is also restarted", onlyOnLinux, async () => {
    const server = await start(home);
    const { pid } = server;
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    const watchdog = Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]);
    kill(watchdog);
    await ended(pid);
    await until("another server", async () => server.pid !== 0 && server.pid !== pid);
    expect(await setting(connect(server.url), "fsync")).toBe("off");
  });
});

describe("a process that is killed", () => {
  test("stops its server, and the next process can start one immediately", async () => {
    const { child, output } = await startProcess(home);
    const pid = Number(output["pid"]);
    expect(isAlive(pid)).toBe(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    // The new server waits for the old one, which may still be writing its last checkpoint.
    const server = await start(home);
    expect(isAlive(pid)).toBe(false);
    expect(await setting(connect(server.url), "fsync")).toBe("off");
  });

  test("during its first start leaves no incomplete cluster", async () => {
    const clustersIn = async (folder: string) =>
      (await readdir(folder)).filter((name) => name.startsWith("data"));
    /** Kills a process during its first start. Returns its folder, or undefined if the start was already complete. */
    async function killFirstStart(): Promise<string | undefined> {
      const fresh = await newHome();
      await mkdir(fresh, { recursive: true });
      const script = path.resolve("test/support/embedded-postgres-process.ts");
      const child = spawn(process.execPath, ["--import", "tsx", script, fresh], { stdio: "ignore" });
      await until("the start of initdb", async () => (await clustersIn(fresh)).length > 0);
      child.kill("SIGKILL");
      await once(child, "exit");
      const clusters = await clustersIn(fresh);
      if (clusters.includes("data")) return undefined;
      expect(clusters).toEqual([expect.stringMatching(/^data\../)]);
      return fresh;
    }
    const fresh = (await killFirstStart()) ?? (await killFirstStart()) ?? (await killFirstStart()) ?? "";
    const server = await start(fresh);
    expect(await setting(connect(server.url), "fsync")).toBe("off");
    expect(await clustersIn(fresh)).toContain("data");
  });
});

describe("a start is refused", () => {
  test("in a cluster that this process uses, with the process ids", async () => {
    const { pid } = await start(home);
    await expect(start(home)).rejects.toThrow(
      `is in use by another Taskyard (process ${process.pid}; its PostgreSQL is process ${pid}).`,
    );
  });

  test("in a cluster that another process uses", async () => {
    const { child, output } = await startProcess(home);
    await expect(start(home)).rejects.toThrow(
      `(process ${child.pid}; its PostgreSQL is process ${String(output["pid"])})`,
    );
    expect(isAlive(Number(output["pid"]))).toBe(true);
  });

  test("in a cluster of another major version, with a remedy", async () => {
    const file = path.join(home, "data", "PG_VERSION");
    await writeFile(file, "17\n");
    onTestFinished(() => writeFile(file, "18\n"));
    await expect(start(home)).rejects.toThrow(
      `${path.join(home, "data")} was created by PostgreSQL 17, but this Taskyard includes PostgreSQL 18. Dump it with`,
    );
  });

  test("with an unknown setting, with PostgreSQL's error message", async () => {
    const attempt = startEmbeddedPostgres({ dataDir: home, log: silent, settings: { max_connection: 7 } });
    await expect(attempt).rejects.toThrow(
      /^PostgreSQL did not start \(exit code 1\): .*unrecognized configuration parameter "max_connection"/,
    );
  });

  test("in a folder with other files", async () => {
    const fresh = await newHome();
    await mkdir(path.join(fresh, "data"), { recursive: true });
    await expect(start(fresh)).rejects.toThrow(
      "is not a PostgreSQL data folder (it has no PG_VERSION). Move it to another location.",
    );
  });
});

describe("as root", onlyAsRoot, () => {
  let readable = false;
  beforeAll(async () => {
    readable =
      (await canEnter(nobody, process.cwd())) && (await canEnter(nobody, path.dirname(process.execPath)));
  });

  test("the server runs as another user, which owns only the cluster", async () => {
    const { pid } = await start(home);
    const owner = (await stat(path.join(home, "data"))).uid;
    expect(owner).not.toBe(0);
    expect((await stat(home)).uid).toBe(0);
    expect((await stat(path.join(home, "postgresql.conf"))).uid).toBe(0);
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    expect(status).toMatch(new RegExp(`^Uid:\\s+${owner}\\s+${owner}\\s+${owner}`, "m"));
    expect(status).toMatch(/^Groups:\s*$/m);
  });

  test("the server starts with a restrictive umask", async () => {
    const before = process.umask(0o077);
    onTestFinished(() => void process.umask(before));
    const fresh = await newHome();
    await mkdir(path.dirname(fresh), { mode: 0o700 });
    const { url } = await start(fresh);
    expect(await setting(connect(url), "fsync")).toBe("off");
    // Others may enter the folder, but not list it.
    expect((await stat(path.dirname(fresh))).mode & 0o777).toBe(0o711);
  });

  test("an unprivileged user can run it, and root can run that user's cluster", async ({ skip }) => {
    skip(!readable, "the user `nobody` cannot read this project or the folder of node");
    const fresh = await newHome();
    await mkdir(path.dirname(fresh));
    await chown(path.dirname(fresh), nobody.uid, nobody.gid);
    const { child, output } = await startProcess(fresh, nobody);
    expect(output).toHaveProperty("url");
    expect((await stat(path.join(fresh, "data"))).uid).toBe(nobody.uid);
    child.kill("SIGTERM");
    await once(child, "exit");

    const { pid } = await start(fresh);
    expect((await stat(`/proc/${pid}`)).uid).toBe(nobody.uid);
  });
});
