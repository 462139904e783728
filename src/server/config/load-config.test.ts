import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testKey } from "../../../test/support/test-key.ts";
import { formatDuration } from "../../lib/duration.ts";
import { catalog } from "./catalog.ts";
import type { Host } from "./derived-defaults.ts";
import { ConfigError } from "../core/config/problem.ts";
import { configOf, type ConfigSources, loadConfig } from "./load-config.ts";

const host: Host = { hostname: "build 7.example.com", cores: 12, terminal: false, userHome: "/home/ann" };

let root: string;
let cwd: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "taskyard-config-"));
});
beforeEach(async () => {
  cwd = await mkdtemp(join(root, "cwd-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const load = (sources: Partial<ConfigSources> = {}) => loadConfig({ env: {}, cwd, host, ...sources });
const writeConfig = (text: string, folder = cwd) => writeFile(join(folder, "taskyard.yml"), text);

/** The problems as `key (origin) value: problem`. */
function problems(sources: Partial<ConfigSources>): string[] {
  try {
    load(sources);
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    return err.problems.map((p) => `${p.key} (${p.origin}) ${p.value ?? "-"}: ${p.problem}`);
  }
  return [];
}

describe("defaults", () => {
  it("are loaded values: milliseconds, bytes and absolute paths", () => {
    const { config, file, warnings } = load();
    expect([file, warnings]).toEqual([undefined, []]);
    expect(config.queue).toMatchObject({
      claimTimeout: 1_200_000,
      maxTaskDeadline: 432_000_000,
      maxRuns: 50,
    });
    expect(config.server).toMatchObject({ host: "127.0.0.1", port: 8080, bodyLimit: 1_048_576 });
    expect(config.home).toBe("/home/ann/.taskyard");
    expect(config.artifacts.dir).toBe("/home/ann/.taskyard/artifacts");
    expect(config.worker).toMatchObject({
      workerId: "build-7-example-com",
      capacity: 12,
      workDir: "/home/ann/.taskyard/worker",
    });
    expect(config.log.format).toBe("json");
    expect(load({ host: { ...host, terminal: true } }).config.log.format).toBe("pretty");
  });

  it("omit settings without a default", () => {
    const { config } = load();
    expect("url" in config.database || "rootUrl" in config.server || "secret" in config.auth).toBe(false);
  });

  it("derive a valid worker id from any host name", () => {
    fc.assert(
      fc.property(fc.string(), (hostname) =>
        /^[a-zA-Z0-9_-]{1,38}$/.test(configOf({}, { ...host, hostname }).worker.workerId),
      ),
    );
  });

  it("give workers with different folders different ids", () => {
    const idOf = (worker: object, home?: string) =>
      configOf({ worker, ...(home !== undefined && { home }) }, host).worker.workerId;
    const usual = idOf({});
    const ids = [usual, idOf({ workDir: "/srv/a" }), idOf({ workDir: "/srv/b" }), idOf({}, "/srv/home")];
    expect(new Set(ids).size).toBe(4);
    expect(idOf({ workDir: "/home/ann/.taskyard/worker" })).toBe(usual);
    expect(ids[1]).toMatch(/^build-7-example-com-[0-9a-f]{6}$/);
  });

  it("exist for every setting unless it is optional", () => {
    for (const { key, setting, optional } of catalog.values()) {
      expect([key, optional]).toEqual([key, setting.default === undefined && !isSet(key)]);
      expect([key, setting.description]).toEqual([key, expect.stringMatching(/^[A-Z`].*[.:]( .*\.)?$/s)]);
    }
    function isSet(key: string): boolean {
      const [section = "", name = ""] = key.split(".");
      return Object.entries(configOf({}, host)).some(
        ([s, members]) => s === section && (name === "" || name in Object(members)),
      );
    }
  });

  it("cannot be modified", () => {
    const { config } = load();
    expect(Object.isFrozen(config.auth.anonymousScopes)).toBe(true);
    // @ts-expect-error the type is read-only
    expect(() => (config.queue.maxRuns = 1)).toThrow(TypeError);
  });
});

describe("precedence", () => {
  it("is flag, variable, file, default", async () => {
    await writeConfig("server: {port: 1, host: 0.0.0.0, bodyLimit: 1MB}\n");
    const env = { TASKYARD_SERVER_PORT: "2", TASKYARD_SERVER_HOST: "::1" };
    const flags = [{ key: "server.port", value: "3", flag: "--port" } as const];
    const { config, file } = load({ env, flags });
    expect(file).toBe(join(cwd, "taskyard.yml"));
    expect(config.server).toMatchObject({
      port: 3,
      host: "::1",
      bodyLimit: 1_000_000,
      keepAliveTimeout: 90_000,
    });
  });

  it("of a setting's own variable is higher than that of its well-known one", () => {
    const url = "postgres://a@b/c";
    expect(load({ env: { DATABASE_URL: url, TASKYARD_PORT: "0" } }).config).toMatchObject({
      database: { url },
      server: { port: 0 },
    });
    const env = { DATABASE_URL: "postgres://other/x", TASKYARD_DATABASE_URL: url };
    expect(load({ env }).config.database.url).toBe(url);
  });

  it("does not affect the notation: durations are the same in files and variables", async () => {
    const one = fc.integer({ min: 1, max: 86_400_000 * 365 });
    await fc.assert(
      fc.asyncProperty(one, one, async (a, b) => {
        await writeConfig(`queue: {claimTimeout: ${formatDuration(a)}}`);
        const { queue } = load({ env: { TASKYARD_QUEUE_EXPIRY_DELAY: formatDuration(b) } }).config;
        expect([queue.claimTimeout, queue.expiryDelay]).toEqual([a, b]);
      }),
      { numRuns: 20 },
    );
  });

  it("ignores empty variables and empty values in the file", async () => {
    await writeConfig("server:\n  host:\nqueue:\n");
    const { config } = load({ env: { TASKYARD_PORT: "", DATABASE_URL: "", TASKYARD_CONFIG: "" } });
    expect(config).toEqual(load().config);
    expect(config.server.host).toBe("127.0.0.1");
  });
});

describe("the config file", () => {
  it("is read from the home folder if the working directory has none", async () => {
    const home = await mkdtemp(join(root, "home-"));
    await writeConfig("worker: {capacity: 3}", home);
    const env = { TASKYARD_HOME: home };
    expect(load({ env })).toMatchObject({
      file: join(home, "taskyard.yml"),
      config: { home, worker: { capacity: 3 } },
    });
    await writeConfig("log: {level: debug}");
    expect(load({ env }).config).toMatchObject({ log: { level: "debug" }, worker: { capacity: 12 } });
  });

  it("can be set by a flag or variable", async () => {
    await writeFile(join(cwd, "mine.yml"), "server: {port: 7}");
    await writeConfig("server: {port: 8}");
    expect(load({ file: "mine.yml" }).config.server.port).toBe(7);
    expect(load({ env: { TASKYARD_CONFIG: join(cwd, "mine.yml") } }).config.server.port).toBe(7);
  });

  it("has paths relative to its folder, and variables have paths relative to the working directory", async () => {
    await mkdir(join(cwd, "etc"));
    await writeFile(join(cwd, "etc", "x.yml"), "artifacts: {dir: store}\nworker: {workDir: ~/work}");
    const { config } = load({ file: "etc/x.yml", env: { TASKYARD_HOME: "./here" } });
    expect([config.artifacts.dir, config.worker.workDir, config.home]).toEqual([
      join(cwd, "etc", "store"),
      "/home/ann/work",
      join(cwd, "here"),
    ]);
  });

  it("may be empty", async () => {
    await writeConfig("# nothing yet\n");
    expect(load().config).toEqual(configOf({}, host));
  });

  it("must exist if a flag or variable sets it", () => {
    const path = JSON.stringify(join(cwd, "gone.yml"));
    expect(problems({ file: "gone.yml" })).toEqual([
      `config file (--config) ${path}: does not exist: create it, or correct the path`,
    ]);
    expect(problems({ env: { TASKYARD_CONFIG: "gone.yml" } })).toEqual([
      `config file (TASKYARD_CONFIG) ${path}: does not exist: create it, or correct the path`,
    ]);
  });

  it("has problems reported with their lines", async () => {
    await writeConfig("server:\n  port: 80\n  prot: 81\nqueu: {}\n\nworker: 3\nport: 1\n");
    const file = join(cwd, "taskyard.yml");
    expect(problems({})).toEqual([
      `server.prot (${file} line 3) -: is not a known setting; did you mean server.port?`,
      `queu (${file} line 4) -: is not a known setting; did you mean queue?`,
      `worker (${file} line 6) -: is a section: indent its keys below it`,
      `port (${file} line 7) -: is not a known setting; did you mean server.port?`,
    ]);
  });

  it.each([
    ["server: {port: 1, port: 2}", /line 1\) -: is not valid YAML: Map keys must be unique/],
    ["a: b: c", /line 1\) -: is not valid YAML: /],
    ["- server", /taskyard.yml\) -: must contain sections with keys, such as server: \{port: 8080\}$/],
  ])("must contain sections in YAML, not %j", async (text, expected) => {
    await writeConfig(text);
    expect(problems({})).toEqual([expect.stringMatching(expected)]);
  });

  it("that cannot be read is a problem, unlike a missing one", async () => {
    await mkdir(join(cwd, "taskyard.yml"));
    expect(problems({})).toEqual([
      expect.stringMatching(/^config file \(.*taskyard.yml\) -: cannot be read: EISDIR/),
    ]);
  });
});

describe("errors", () => {
  it("list all problems, including those of overridden values", async () => {
    await writeConfig("queue:\n  claimTimeout: 20\n");
    const env = {
      TASKYARD_QUEUE_CLAIM_TIMEOUT: "20m",
      TASKYARD_QUEUE_CLAIM_TIMOUT: "1m",
      TASKYARD_NONSENSE: "",
    };
    const flags = [{ key: "server.port", value: "http", flag: "--port" } as const];
    expect(() => load({ env, flags })).toThrow(
      `4 settings are wrong:

  queue.claimTimeout = 20  (${join(cwd, "taskyard.yml")} line 2)
    is a bare number: write a duration with its unit, such as 20m

  TASKYARD_QUEUE_CLAIM_TIMOUT  (environment)
    is not a known variable: unset it; did you mean TASKYARD_QUEUE_CLAIM_TIMEOUT?

  TASKYARD_NONSENSE  (environment)
    is not a known variable: unset it

  server.port = "http"  (--port)
    must be a whole number`,
    );
  });

  it("include settings that contradict each other", () => {
    const client = (clientId: string) => ({ clientId, accessToken: "x".repeat(22), scopes: [] });
    const staticClients = ["static/a", "static/taskcluster/root", "static/a"].map(client);
    expect(problems({ env: { TASKYARD_AUTH_STATIC_CLIENTS: JSON.stringify(staticClients) } })).toEqual([
      "auth.staticClients[1] (all settings together) static/taskcluster/root: has the same clientId as auth.rootClientId: give each client a separate id",
      "auth.staticClients[2] (all settings together) static/a: has the same clientId as another of auth.staticClients: give each client a separate id",
    ]);
  });

  it("include encryption keys in two places", () => {
    const env = { TASKYARD_ENCRYPTION_KEYS: testKey, TASKYARD_ENCRYPTION_KEY_FILE: "/etc/keys" };
    expect(problems({ env })).toEqual([
      "encryption.keyFile (all settings together) -: is set together with encryption.keys: keep one of the two, and move all keys there",
    ]);
    expect(problems({ env: { TASKYARD_ENCRYPTION_KEYS: `${testKey}, ${testKey}` } })).toEqual([]);
  });

  it("include an S3 store without buckets, with a single bucket, or with an incomplete key", () => {
    const env = { TASKYARD_ARTIFACTS_STORE: "s3" };
    expect(problems({ env })).toEqual([
      "s3.publicBucket (all settings together) -: must be set, since artifacts.store is s3",
      "s3.privateBucket (all settings together) -: must be set, since artifacts.store is s3",
    ]);
    const one = { ...env, TASKYARD_S3_PUBLIC_BUCKET: "one", TASKYARD_S3_PRIVATE_BUCKET: "one" };
    expect(problems({ env: { ...one, TASKYARD_S3_ACCESS_KEY_ID: "id" } })).toEqual([
      's3.privateBucket (all settings together) -: is "one", the same as s3.publicBucket: use two different buckets',
      "s3.secretAccessKey (all settings together) -: must also be set: s3.accessKeyId and s3.secretAccessKey require each other",
    ]);
    expect(problems({ env: { ...one, TASKYARD_S3_PRIVATE_BUCKET: "other" } })).toEqual([]);
    expect(problems({ env: { ...one, TASKYARD_ARTIFACTS_STORE: "local" } })).toEqual([]);
  });

  it("include a CDN rule with an invalid regular expression", () => {
    const env = { TASKYARD_OBJECTS_CDN: '[{"regexp": "(", "baseUrl": "https://cdn.example.com"}]' };
    expect(problems({ env })).toEqual([expect.stringContaining("objects.cdn (TASKYARD_OBJECTS_CDN)")]);
  });

  it("do not include variables that the worker sets, so that a task may start a server", () => {
    expect(problems({ env: { TASKYARD_RUN: "abc/0" } })).toEqual([]);
  });

  it("never show a secret", async () => {
    const secret = "S3CRET".repeat(20);
    await writeConfig(
      `auth: {secret: {x: "${secret}"}, rootAccessToken: "${secret}"}\nencryption: {keys: ["${secret}"]}\nmonitor: {sentryDsn: "${secret}"}`,
    );
    const env = { TASKYARD_AUTH_STATIC_CLIENTS: `[{"accessToken": "${secret}"`, DATABASE_URL: secret };
    const text = problems({ env }).join("\n");
    expect(text.split("\n")).toHaveLength(6);
    expect(text).not.toContain("S3CRET");
    await writeConfig(`auth: {secret: ${secret}\n  x: [`);
    expect(problems({}).join("\n")).not.toContain("S3CRET");
  });

  /** As the kubelet adds them to each container of the namespace. */
  const service = (prefix: string) => ({
    [`${prefix}_SERVICE_HOST`]: "10.96.12.7",
    [`${prefix}_SERVICE_PORT`]: "80",
    [`${prefix}_SERVICE_PORT_HTTP_API`]: "80",
    [`${prefix}_PORT`]: "tcp://10.96.12.7:80",
    [`${prefix}_PORT_80_TCP`]: "tcp://10.96.12.7:80",
    [`${prefix}_PORT_80_TCP_PROTO`]: "tcp",
    [`${prefix}_PORT_80_TCP_PORT`]: "80",
    [`${prefix}_PORT_80_TCP_ADDR`]: "10.96.12.7",
  });

  it("do not include those that Kubernetes adds for a Service, even where they are named like a setting", () => {
    const env = { ...service("TASKYARD"), ...service("TASKYARD_SERVER"), ...service("TASKYARD_WEB_2") };
    expect(load({ env }).config.server.port).toBe(8080);
    expect(load({ env: { ...env, TASKYARD_PORT: "9000" } }).config.server.port).toBe(9000);
    expect(load({ env: { ...env, TASKYARD_SERVER_PORT: "9001" } }).config.server.port).toBe(9001);
  });

  it("include everything else that resembles them", () => {
    expect(problems({ env: { TASKYARD_SERVICE_HOST: "0.0.0.0" } })).toEqual([
      "TASKYARD_SERVICE_HOST (environment) -: is not a known variable: unset it; did you mean TASKYARD_SERVER_HOST?",
    ]);
    expect(problems({ env: { ...service("TASKYARD"), TASKYARD_SERVICE_URL: "x" } })).toEqual([
      expect.stringContaining("TASKYARD_SERVICE_URL (environment) -: is not a known variable"),
    ]);
    expect(problems({ env: { ...service("TASKYARD"), TASKYARD_PORT: "http" } })).toEqual([
      'server.port (TASKYARD_PORT) "http": must be a whole number',
    ]);
  });

  it("do not include AMQP_URL, which is reserved and causes a warning", () => {
    expect(load({ env: { AMQP_URL: "amqp://localhost" } }).warnings).toEqual([
      "AMQP_URL is set, but this version has no AMQP relay: events are served from the event log alone",
    ]);
  });
});

describe("configOf", () => {
  it("overrides the defaults with loaded values and reads no other source", () => {
    const config = configOf({ home: "/srv/x", queue: { claimTimeout: 1000 }, server: { port: 0 } }, host);
    expect(config).toMatchObject({
      home: "/srv/x",
      queue: { claimTimeout: 1000, maxRuns: 50 },
      server: { port: 0 },
    });
    expect(config.artifacts.dir).toBe("/srv/x/artifacts");
  });

  it("checks the values", () => {
    expect(() => configOf({ server: { port: -1 } })).toThrow(
      "server.port = -1  (the calling code)\n    must be at least 0",
    );
  });
});
