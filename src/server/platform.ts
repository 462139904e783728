// Opens the foundation of the services: database, key ring, wake-ups, event log and artifact store.
import type { Clock } from "../lib/clock.ts";
import type { LocalStore } from "./core/artifact-store/local/index.ts";
import { openArtifactStore } from "./core/artifact-store/open.ts";
import type { ArtifactStore } from "./core/artifact-store/index.ts";
import type { CoreConfig } from "./core/config/core-settings.ts";
import { databaseCheck } from "./core/db-check.ts";
import { databaseStartError } from "./core/db-start-error.ts";
import { DatabaseUnavailable, openDb, type Db } from "./core/db.ts";
import { openEventLog, type EventLog } from "./core/event-log/index.ts";
import { loadCheckedKeys } from "./core/encryption/check-keys.ts";
import type { EncryptedColumn } from "./core/encryption/encrypted-column.ts";
import { createKeyRing, type KeyRing } from "./core/encryption/key-ring.ts";
import type { KeySource } from "./core/encryption/key-source.ts";
import type { Lifecycle } from "./core/lifecycle.ts";
import type { Monitor } from "./core/monitor.ts";
import type { InstanceSecrets } from "./core/service.ts";
import { startWakeUpRelay } from "./core/wake-up-relay.ts";
import { createWakeUps, type WakeUps } from "./core/wake-ups.ts";
import { migrate } from "./db/index.ts";

export interface OpenedPlatform {
  readonly db: Db;
  /** Throws DatabaseUnavailable if the database does not reply, accepts no writes, or has a full disk. */
  readonly check: () => Promise<void>;
  readonly wakeUps: WakeUps;
  readonly events: EventLog;
  readonly artifacts: ArtifactStore;
  readonly keyRing: KeyRing;
  /** Set if this server itself serves the content of artifacts. */
  readonly localArtifacts: LocalStore | undefined;
}

export interface PlatformOptions {
  readonly config: CoreConfig;
  readonly databaseUrl: string;
  readonly secrets: InstanceSecrets;
  readonly keySource: KeySource;
  /** The encrypted columns of all services. */
  readonly encrypted: readonly EncryptedColumn[];
  readonly monitor: Monitor;
  readonly clock: Clock;
  readonly checked: boolean;
  readonly partBytes?: number | undefined;
  /** Gets everything that is opened, so that it is closed in reverse order. */
  readonly lifecycle: Lifecycle;
}

/** Migrates the database and opens everything. Throws an error that says what to do if the database cannot be used. */
export async function openPlatform(options: PlatformOptions): Promise<OpenedPlatform> {
  try {
    return await open(options);
  } catch (err) {
    throw err instanceof DatabaseUnavailable ? databaseStartError(options.databaseUrl, err.cause) : err;
  }
}

async function open(options: PlatformOptions): Promise<OpenedPlatform> {
  const { config, databaseUrl: url, secrets, keySource, monitor, clock, checked, lifecycle } = options;
  const { log } = monitor;
  await migrate({ url, log });
  const { poolSize, statementTimeout: statementTimeoutMs, connectionMaxAge: maxAgeMs } = config.database;
  const wakeUps = createWakeUps({ log });
  const { wake } = wakeUps;
  const db = openDb({ url, log, poolSize, statementTimeoutMs, maxAgeMs, checkRows: checked, wake });
  lifecycle.add("database", () => db.close());
  const check = databaseCheck(db, clock);
  await check();
  const keys = await loadCheckedKeys(db, keySource, options.encrypted);
  const keyRing = createKeyRing({ source: keySource, loaded: keys, db, log });
  const { notifyInterval: intervalMs } = config.events;
  const relay = await startWakeUpRelay({ url, db, wakeUps, clock, log, intervalMs, maxAgeMs });
  lifecycle.add("wake-up relay", () => relay.stop());
  const events = await openEventLog({ db, wakeUps, clock, monitor, config: config.events });
  lifecycle.add("event log", () => events.stop());
  const { store, local, close } = await openArtifactStore({
    config,
    secret: secrets.secret,
    partBytes: options.partBytes,
    clock,
    log,
  });
  lifecycle.add("artifact store", close);
  return { db, check, wakeUps, events, artifacts: store, keyRing, localArtifacts: local };
}
