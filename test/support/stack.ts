// A whole server in this process: real database, real HTTP, replies and rows checked against their schemas.
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { connect, type Client, type Credentials } from "../../src/client/index.ts";
import { systemClock, type Clock } from "../../src/lib/clock.ts";
import { configOf, type PartialConfig } from "../../src/server/config/index.ts";
import { startServer, type Role, type Server } from "../../src/server/main.ts";
import { testDatabase, type TestDatabase } from "./db.ts";
import { testMonitor } from "./monitor.ts";
import { s3Buckets, s3Key } from "./s3-settings.ts";
import type { S3Server } from "./s3-server.ts";

export interface StackOptions {
  readonly config?: PartialConfig;
  readonly clock?: Clock;
  readonly roles?: readonly Role[];
  /** Where artifacts go instead of a local folder; its clock is the system's, so the stack's has to be near it. */
  readonly s3?: S3Server;
  /** A database to share with another stack, which then also drops it. */
  readonly database?: TestDatabase;
}

export interface Stack {
  readonly server: Server;
  readonly database: TestDatabase;
  readonly rootUrl: string;
  readonly rootCredentials: Credentials;
  /** Called as the root client, without retries: a test wants to see the first answer. */
  readonly client: Client;
  /** Every record that the server logged. */
  readonly records: readonly Record<string, unknown>[];
  /** The variables that lead a command line to it, as the root client. */
  readonly env: Readonly<Record<string, string>>;
  /** Lets a loop do all there is to do. Rejects where it has none of this name. */
  loopRuns(name: string): Promise<void>;
  /** The same server, called as somebody else, or as nobody. */
  as(credentials: Credentials | undefined): Client;
  /** The same server, called as somebody who has these scopes and what everybody has. */
  limited(scopes: readonly string[]): Client;
  stop(): Promise<void>;
}

const rootCredentials = { clientId: "static/taskcluster/root", accessToken: "test-root-token-0123456789" };
const secret = "test-secret-0123456789-0123456789";

let shared: Promise<Stack> | undefined;

/**
 * Returns a stack that test files of this worker share, started by the first one. For files that need neither a clock nor
 * a configuration of their own, and that look only at tasks, groups and queues which they created. Do not stop it: it
 * ends with the worker, and its database and folder with the run.
 */
export const sharedStack = (): Promise<Stack> => (shared ??= testStack());

/** Starts a server on a database of its own. Stop it in `afterAll`. */
export async function testStack(options: StackOptions = {}): Promise<Stack> {
  const { config = {}, clock = systemClock, roles, s3 } = options;
  const dir = await mkdtemp(join(inject("runFolder"), "stack-"));
  const database = options.database ?? (await testDatabase());
  const { monitor, records } = testMonitor();
  const server = await startServer({
    config: configOf({
      ...config,
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
    monitor,
    clock,
    checked: true,
    ...(roles && { roles }),
  });
  const { rootUrl } = server;
  const as = (credentials: Credentials | undefined, authorizedScopes?: readonly string[]): Client =>
    connect({ rootUrl, credentials, authorizedScopes, retries: 0, ...(options.clock && { clock }) });
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
    async loopRuns(name) {
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
