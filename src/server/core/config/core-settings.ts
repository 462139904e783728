// Settings of the parts that all services use: HTTP server, database, artifact store, event log, logging.
import Type, { type Static, type TObject } from "typebox";
import {
  choice,
  count,
  duration,
  flag,
  list,
  longestTimer,
  path,
  section,
  size,
  text,
  type ReadonlySettings,
} from "../../../lib/setting.ts";
import { writtenKey } from "../encryption/encryption-key.ts";
import { artifacts, s3 } from "./storage-settings.ts";

/** How much callers without credentials may read, from least to most. */
export const ACCESS = ["closed", "results", "open"] as const;
export type Access = (typeof ACCESS)[number];

/** A setting outside of all sections. */
export const access = Type.Optional(
  choice([...ACCESS], {
    derived: "closed; results for `taskyard up` if only this machine reaches it",
    description:
      "What callers without credentials may read. `closed`: public documents only. `results`: also states, events, metrics, " +
      "and artifacts below `public/` with the logs; not the definitions of tasks, which contain their environment, and not from " +
      "web pages of other sites. `open`: also definitions and everything else that Taskcluster documents for public instances.",
  }),
);

const server = section("The HTTP server.", {
  host: text({
    preset: "127.0.0.1",
    description:
      "The address to listen on. Any address other than loopback exposes the server to the network.",
  }),
  port: count({
    preset: 8080,
    min: 0,
    max: 65_535,
    description: "The port to listen on. 0 selects a free port.",
  }),
  rootUrl: Type.Optional(
    text({
      written: "url",
      pattern: "^https?://[^/\\s?#]+(/[^\\s?#]*)?$",
      expected: "a URL such as https://taskyard.example.com",
      derived: "from host and port",
      description: "The URL of this server for clients. Required behind a proxy.",
    }),
  ),
  hostNames: list(
    Type.String({ minLength: 1, pattern: "^[A-Za-z0-9._-]+$", expected: "a host name without a port" }),
    [],
    {
      description:
        "Names by which requests may address this server (the `Host` header), in addition to those of the loopback interface and " +
        "of `rootUrl`. Other names are refused, unless the server listens to the network and has no `rootUrl`.",
    },
  ),
  bodyLimit: size("1MiB", {
    min: "1KiB",
    max: "64MiB",
    description:
      "The maximum size of a request body, after decompression, and so of a task definition. A call of createTasks may have 64 MiB, in which each task has at most this size.",
  }),
  bodyMemory: size("256MiB", {
    min: "1MiB",
    max: "64GiB",
    description:
      "The maximum size of all request bodies over 64 KiB that a process reads or works on. One client may use half of it. Further requests get 503.",
  }),
  replyMemory: size("256MiB", {
    min: "1MiB",
    max: "64GiB",
    description:
      "The maximum size of all replies of a process that their callers have not read yet. When there are more, the connections of the oldest are closed.",
  }),
  heavyCalls: count({
    preset: 4,
    min: 1,
    max: 1000,
    description:
      "How many calls that read much (lists of tasks, timelines, why) a process runs at a time; a timeline counts as two. One caller may take half of them. Further calls wait up to 10s and then get 503, or 429 if most are of the same caller.",
  }),
  maxConnections: count({
    preset: 10_000,
    min: 1,
    max: 1_000_000,
    description: "The maximum number of open connections of a process. Further ones get 503.",
  }),
  maxConnectionsPerAddress: count({
    preset: 1_000,
    min: 1,
    max: 1_000_000,
    description:
      "The same for one address, or for one /64 network of IPv6. Not applied with trustProxy. Raise it if many clients share an address, for example behind a proxy that is not trusted.",
  }),
  keepAliveTimeout: duration("90s", {
    max: longestTimer,
    description:
      "How long an idle connection stays open. Should be longer than the idle timeout of a load balancer.",
  }),
  trustProxy: flag(false, {
    description:
      "Whether to trust X-Forwarded-* headers. Enable it only if all requests come through a proxy that sets them.",
  }),
  metricsToken: Type.Optional(
    text({
      secret: true,
      pattern: "^[!-~]{16,}$",
      expected: "16 or more printable characters without spaces",
      derived: "none; callers need the scope `server:metrics`",
      description:
        "A bearer token that gives access to `/metrics`, for Prometheus, where the access is closed.",
    }),
  ),
  stopTimeout: duration("10s", {
    max: longestTimer,
    description: "The maximum duration of a graceful stop. The process exits after it.",
  }),
});

const database = section("PostgreSQL.", {
  url: Type.Optional(
    text({
      secret: true,
      pattern: "^postgres(ql)?://",
      expected: "a URL such as postgres://user:password@host:5432/taskyard",
      derived: "an embedded PostgreSQL in the home folder, with `taskyard up`",
      description: "The URL of the database. PostgreSQL 15 or newer.",
    }),
  ),
  poolSize: count({
    preset: 10,
    min: 1,
    max: 1000,
    description: "The maximum number of database connections per process.",
  }),
  statementTimeout: duration("30s", {
    max: longestTimer,
    description: "Statements that take longer are canceled.",
  }),
  connectionMaxAge: duration("30m", {
    min: "1s",
    description:
      "How long a connection is used. Bounds how long a process stays connected to a server that the address no longer leads to.",
  }),
});

const encryption = section("The keys that encrypt secrets and access tokens in the database.", {
  keys: list(Type.String(writtenKey), [], {
    secret: true,
    description:
      "The keys, of which the first one encrypts and all decrypt; the same in all processes of an instance. Each is 32 random " +
      "bytes in base64, as written by `openssl rand -base64 32`. Required for `taskyard serve`, unless keyFile is set.",
  }),
  keyFile: Type.Optional(
    path({
      derived: "`encryption-keys` in the home folder, with `taskyard up`, unless keys is set",
      description:
        "A file with the keys instead, one per line. All processes of an instance share it, and read it again when it is replaced, as by `taskyard encryption rotate`.",
    }),
  ),
});

const events = section("The event log and its streams.", {
  retention: duration("7d", {
    min: "1m",
    description: "How long events are kept. A reader can resume within this time.",
  }),
  pollInterval: duration("2s", {
    max: longestTimer,
    description: "How often readers poll for events as a fallback, if no notification arrives.",
  }),
  notifyInterval: duration("10ms", {
    max: "1m",
    description:
      "The minimum interval between notifications to other processes about new events. They are sent outside of transactions.",
  }),
});

const log = section("The log of the process.", {
  level: choice(["trace", "debug", "info", "warn", "error", "fatal", "silent"], {
    preset: "info",
    description: "The lowest level that is logged.",
  }),
  format: choice(["pretty", "json"], {
    derived: "pretty on a terminal, json otherwise",
    description: "Readable lines, or JSON for log processors.",
  }),
});

const monitor = section("Error reports in addition to the log.", {
  sentryDsn: Type.Optional(
    text({
      secret: true,
      pattern: "^https?://[^@\\s/]+@[^/\\s]+/(.+/)?[0-9]+$",
      expected: "a DSN such as https://key@sentry.example.com/42",
      derived: "no reports are sent",
      description: "The DSN of the Sentry project that receives error reports.",
    }),
  ),
});

/** The sections by name. */
export const coreSettings = { server, database, encryption, artifacts, s3, events, log, monitor };

/** The loaded core settings: durations in milliseconds, sizes in bytes, paths absolute. */
export type CoreConfig = ReadonlySettings<Static<TObject<typeof coreSettings>>> & {
  /** Undefined: closed. */
  readonly access?: Access;
};
