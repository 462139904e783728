// A whole server in this process, with a real database and HTTP. Replies and rows are checked against their schemas.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Client, type Credentials } from "../../src/client/index.ts";
import { systemClock, type Clock } from "../../src/lib/clock.ts";
import { configOf, type PartialConfig } from "../../src/server/config/index.ts";
import type { KeySource } from "../../src/server/core/encryption/key-source.ts";
import { startServer, type Role, type Server } from "../../src/server/main.ts";
import { fastFetch } from "./fast-fetch.ts";
import { testDatabase, type TestDatabase } from "./db.ts";
import { testMonitor } from "./monitor.ts";
import { testKey } from "./test-key.ts";
import { s3Buckets, s3Key } from "./s3-settings.ts";
import type { S3Server } from "./s3-server.ts";

export interface StackOptions {
  readonly config?: PartialConfig;
  readonly clock?: Clock;
  readonly roles?: readonly Role[];
  /** Loops run once when the server starts, and then only by `runLoop`. */
  readonly manualLoops?: boolean;
  /**
   * Whether the consumers of events run. Default: false, because each polls every few seconds, which takes long where a
   * test advances the clock by days.
   */
  readonly consumers?: boolean;
  /** Stores artifacts in this server instead of a local folder. It uses the system clock, so the stack's has to be close. */
  readonly s3?: S3Server;
  /** The size of the parts of large uploads to S3. Small parts save time: the server's take seconds. */
  readonly partBytes?: number;
  /** Whether replies and rows are checked against their schemas. Default: true. Takes seconds for megabytes. */
  readonly checked?: boolean;
  /** Default: `testKey`. */
  readonly keySource?: KeySource;
  /** A database to share with another stack, which drops it. */
  readonly database?: TestDatabase;
}

export interface Stack {
  readonly server: Server;
  readonly database: TestDatabase;
  readonly rootUrl: string;
  readonly rootCredentials: Credentials;
  /** A client with root credentials, without retries, so that a test gets the first reply. */
  readonly client: Client;
  /** Every log record of the server. */
  readonly records: readonly Record<string, unknown>[];
  /** Environment variables for commands that call the server with root credentials. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a loop until it is idle. Rejects if the server has no loop of this name. */
  runLoop(name: string): Promise<void>;
  /** Returns a client with other credentials, or an anonymous one. */
  as(credentials: Credentials | undefined): Client;
  /** Returns a client with these scopes and the anonymous ones. */
  limited(scopes: readonly string[]): Client;
  stop(): Promise<void>;
}

const rootCredentials = { clientId: "static/taskcluster/root", accessToken: "test-root-token-0123456789" };
const secret = "test-secret-0123456789-0123456789";

let shared: Promise<Stack> | undefined;

/**
 * Returns a stack that the test files of this Vitest worker share. The first one starts it. For files that need neither
 * their own clock nor configuration, and read only tasks, groups and queues that they created. Do not stop it: it ends
 * with the worker, and its database and folder are removed at the end of the run.
 */
export const sharedStack = (): Promise<Stack> => (shared ??= testStack());

const DAY = 86_400_000;

/** Starts a server with a new database. Stop it in `afterAll`. */
export async function testStack(options: StackOptions = {}): Promise<Stack> {
  const { config = {}, clock = systemClock, roles, manualLoops = false, s3 } = options;
  const dir = await mkdtemp(join(tmpdir(), "taskyard-stack-"));
  const database = options.database ?? (await testDatabase());
  const { monitor, records } = testMonitor();
  const server = await startServer({
    config: configOf({
      // Most tests are not about access.
      access: "open",
      ...config,
      // The watchdog judges loops by their configured interval.
      queue: { ...(manualLoops && { loopInterval: DAY, watchdogInterval: DAY }), ...config.queue },
      home: dir,
      server: { port: 0, ...config.server },
      artifacts: { dir: join(dir, "artifacts"), ...(s3 && { store: "s3" }), ...config.artifacts },
      s3: {
        ...s3Key,
        ...s3Buckets,
        ...(s3 && { endpoint: s3.endpoint, forcePathStyle: true }),
        ...config.s3,
      },
    }),
    databaseUrl: database.url,
    secrets: { rootAccessToken: rootCredentials.accessToken, secret },
    keySource: options.keySource ?? { keys: [testKey] },
    monitor,
    clock,
    consumers: options.consumers ?? false,
    ...(manualLoops && { loopIntervalMs: DAY }),
    checked: options.checked ?? true,
    partBytes: options.partBytes,
    ...(roles && { roles }),
  });
  const { rootUrl } = server;
  const as = (credentials: Credentials | undefined, authorizedScopes?: readonly string[]): Client =>
    connect({
      rootUrl,
      credentials,
      authorizedScopes,
      fetch: fastFetch,
      retries: 0,
      ...(options.clock && { clock }),
    });
  return {
    server,
    database,
    rootUrl,
    rootCredentials,
    client: as(rootCredentials),
    records,
    env: {
      TASKCLUSTER_ROOT_URL: rootUrl,
      TASKCLUSTER_CLIENT_ID: rootCredentials.clientId,
      TASKCLUSTER_ACCESS_TOKEN: rootCredentials.accessToken,
    },
    async runLoop(name) {
      const loop = server.loops[name];
      if (!loop) throw new Error(`there is no loop ${name}`);
      loop.trigger();
      await loop.idle();
    },
    as: (credentials) => as(credentials),
    limited: (scopes) => as(rootCredentials, scopes),
    async stop() {
      await server.stop();
      if (!options.database) await database.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
