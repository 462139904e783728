// Every setting of Taskyard, once: the file, the environment, the flags, the loaded type and the reference page
// are all read from here. Intervals and limits follow the system we are compatible with unless said otherwise.
import Type, { type TObject, type TProperties } from "typebox";
import { anonymousScopes } from "./anonymous-scopes.ts";
import { choice, count, duration, flag, list, path, size, text } from "./setting.ts";

const accessTokenPattern = "^[A-Za-z0-9_-]{22,66}$";
const identifierPattern = "^[a-zA-Z0-9_-]{1,38}$";

// What sets a timer stays far below the 24 days at which timers overflow and fire at once.
const longestTimer = "1d";

const scope = Type.String({ pattern: "^[\\x20-\\x7e]*$", expected: "a scope of printable ASCII characters" });

const staticClient = Type.Object(
  {
    clientId: Type.String({
      pattern: "^static/[A-Za-z0-9!@/:.+|_-]+$",
      expected: "a client id that starts with static/",
    }),
    accessToken: Type.String({
      pattern: accessTokenPattern,
      expected: "22 to 66 characters of A-Z a-z 0-9 _ -",
    }),
    description: Type.Optional(Type.String()),
    scopes: Type.Array(scope),
  },
  { additionalProperties: false },
);

const httpUrl = {
  pattern: "^https?://[^/\\s?#]+(/[^\\s?#]*)?$",
  expected: "a URL such as https://s3.example.com",
} as const;
const bucketName = {
  pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$",
  expected: "the name of a bucket: 3 to 63 letters, digits, dots and dashes",
} as const;

const cdnRule = Type.Object(
  {
    regexp: Type.String({ format: "regex", minLength: 1 }),
    baseUrl: Type.String({ ...httpUrl }),
  },
  { additionalProperties: false },
);

export const ConfigSchema = Type.Object({
  home: path({
    derived: "~/.taskyard",
    description:
      "The folder of this instance: embedded database, artifacts, secrets and the local worker's files.",
  }),

  server: section("The HTTP server.", {
    host: text({
      preset: "127.0.0.1",
      description:
        "The address to listen on. Anything but a loopback address opens the server to the network.",
    }),
    port: count({
      preset: 8080,
      min: 0,
      max: 65_535,
      description: "The port to listen on; 0 takes a free one.",
    }),
    rootUrl: Type.Optional(
      text({
        written: "url",
        pattern: "^https?://[^/\\s?#]+(/[^\\s?#]*)?$",
        expected: "a URL such as https://taskyard.example.com",
        derived: "from host and port, once the server listens",
        description: "The URL under which clients reach this server. Needed behind a proxy.",
      }),
    ),
    bodyLimit: size("10MiB", {
      min: "1KiB",
      max: "1GiB",
      description: "The largest request body, after inflating.",
    }),
    keepAliveTimeout: duration("90s", {
      max: longestTimer,
      description:
        "How long an idle connection stays open; longer than the idle time of usual load balancers.",
    }),
    trustProxy: flag(false, {
      description:
        "Whether x-forwarded-* headers are believed. Only where a proxy that sets them is the only way in.",
    }),
    stopTimeout: duration("10s", {
      max: longestTimer,
      description: "How long a graceful stop may take before the process ends anyway.",
    }),
  }),

  database: section("PostgreSQL.", {
    url: Type.Optional(
      text({
        secret: true,
        pattern: "^postgres(ql)?://",
        expected: "a URL such as postgres://user:password@host:5432/taskyard",
        derived: "an embedded PostgreSQL in the home folder, where the command offers one",
        description: "Any PostgreSQL from version 15 on.",
      }),
    ),
    poolSize: count({ preset: 10, min: 1, max: 1000, description: "Connections of one process, at most." }),
    statementTimeout: duration("30s", {
      max: longestTimer,
      description: "A statement that takes longer is cancelled.",
    }),
  }),

  auth: section("Who may do what.", {
    rootClientId: text({
      preset: "static/taskcluster/root",
      pattern: "^static/[A-Za-z0-9!@/:.+|_-]+$",
      expected: "a client id that starts with static/",
      description: "The client that may do everything, for the first steps and for emergencies.",
    }),
    rootAccessToken: Type.Optional(
      text({
        secret: true,
        pattern: accessTokenPattern,
        expected: "22 to 66 characters of A-Z a-z 0-9 _ -",
        derived: "made at the first start of `taskyard up` and kept in secrets.json of the home folder",
        description: "The access token of the root client.",
      }),
    ),
    secret: Type.Optional(
      text({
        secret: true,
        pattern: "^.{22,}$",
        expected: "22 characters or more",
        derived: "made at the first start of `taskyard up` and kept in secrets.json of the home folder",
        description:
          "Signs what this server hands out, such as artifact URLs. All processes of an instance share it.",
      }),
    ),
    staticClients: list(staticClient, [], {
      secret: true,
      description:
        "Clients that exist by configuration: a list of clientId (static/…), accessToken, description, scopes.",
    }),
    anonymousScopes: list(scope, anonymousScopes, {
      description:
        "What callers without credentials may do. The default lets everybody read what a public instance shows; " +
        "`[]` closes it.",
    }),
    hawkSkew: duration("15m", { description: "How far a client's clock may be off." }),
  }),

  queue: section("Tasks, runs and claims.", {
    claimTimeout: duration("20m", {
      description: "How long a claim lasts before the worker must have reclaimed it.",
    }),
    maxTaskDeadline: duration("5d", { description: "How far in the future a task's deadline may be." }),
    deadlineTolerance: duration("15m", {
      min: "0ms",
      description:
        "How far `created` may be from the server's time, and what maxTaskDeadline may be exceeded by.",
    }),
    deadlineDelay: duration("60s", {
      min: "0ms",
      description: "How long after its deadline an unresolved task is ended with deadline-exceeded.",
    }),
    loopInterval: duration("5s", {
      max: longestTimer,
      description: "How often the loops look for work although no signal came: the safety net.",
    }),
    // A batch is one set-based statement here, not a round trip per row, so it can be far larger than the 32
    // usual elsewhere: 200 ends a lost host's claims in one go. Thousands would hold row locks so long that the
    // calls of live workers on those rows would feel it.
    loopBatch: count({
      preset: 200,
      min: 1,
      max: 10_000,
      description: "Rows that a loop takes in one statement.",
    }),
    maxRuns: count({ preset: 50, min: 1, max: 1000, description: "Runs that one task may have." }),
    claimWorkTimeout: duration("20s", {
      max: "5m",
      description:
        "How long claimWork waits for work before it answers with none. Usual clients give up after 30s: stay below.",
    }),
    maxTasksPerClaim: count({
      preset: 32,
      min: 1,
      max: 1000,
      description: "Tasks that one claimWork hands out.",
    }),
    maxDependencies: count({ preset: 10_000, min: 0, max: 10_000, description: "Dependencies of one task." }),
    artifactAfterException: duration("25m", {
      min: "0ms",
      description: "How long artifacts may be added to a run after it ended in an exception.",
    }),
    artifactUploadExpires: duration("45m", { description: "How long an upload URL is valid." }),
    expiryDelay: duration("30m", {
      min: "0ms",
      description: "How long after its expiry a thing is removed.",
    }),
    workerSeenInterval: duration("1s", {
      max: longestTimer,
      description: "How often what was seen of workers is written; a crash loses that much of it.",
    }),
    // Off where nobody writes such events: a follower has the process read the whole log.
    workerManagerEvents: flag(false, {
      description:
        "Whether runs are ended at once when a worker-manager says in the event log that their worker is gone; " +
        "otherwise they end with their claims.",
    }),
    watchdogInterval: duration("10s", {
      min: "1ms",
      max: longestTimer,
      description:
        "How often the watchdog looks at a slice of each thing that it checks, in all processes together.",
    }),
    watchdogSlice: count({
      preset: 500,
      min: 1,
      max: 100_000,
      description:
        "Tasks and the like in such a slice. What it costs, and how long a whole pass takes, follows from it.",
    }),
    watchdogPatience: duration("2m", {
      min: "0ms",
      description:
        "How late the loops may be before the watchdog does their work and tells so, and how far the clocks of servers may be off that of the database.",
    }),
    groupExpiryMargin: duration("1h", {
      min: "0ms",
      description: "How long a task group outlives the task of it that expires last.",
    }),
  }),

  artifacts: section("Where the bytes of artifacts and objects are.", {
    store: choice(["local", "s3"], {
      preset: "local",
      description:
        "`local` keeps them in a folder, and this server serves them; `s3` in two buckets that clients reach themselves. What is in one store is not seen in the other.",
    }),
    dir: path({ derived: "artifacts in the home folder", description: "The folder of the local store." }),
    maxSize: size("50GB", { description: "The largest upload to the local store." }),
    signedUrlExpires: duration("30m", {
      max: "7d",
      description: "How long a signed download URL is valid.",
    }),
  }),

  s3: section("S3 or what speaks its protocol (MinIO, Ceph, Swift …), where `artifacts.store` is `s3`.", {
    endpoint: Type.Optional(
      text({
        written: "url",
        ...httpUrl,
        derived: "AWS, in the region",
        description: "Where the store is, if it is not AWS.",
      }),
    ),
    publicEndpoint: Type.Optional(
      text({
        written: "url",
        ...httpUrl,
        derived: "the endpoint",
        description: "Where clients reach the store, if that is not where this server reaches it.",
      }),
    ),
    region: text({
      preset: "us-east-1",
      description: "The region of the buckets. Other stores mostly take any.",
    }),
    accessKeyId: Type.Optional(
      text({
        derived: "where AWS's own tools look: `AWS_ACCESS_KEY_ID`, `~/.aws`, the role of the machine",
        description: "The key that reads, writes and deletes in both buckets.",
      }),
    ),
    secretAccessKey: Type.Optional(
      text({ secret: true, derived: "as accessKeyId", description: "The secret that belongs to it." }),
    ),
    publicBucket: Type.Optional(
      text({
        ...bucketName,
        derived: "none: it must be set",
        description: "For artifacts whose name begins with `public/`.",
      }),
    ),
    privateBucket: Type.Optional(
      text({
        ...bucketName,
        derived: "none: it must be set",
        description: "For all other artifacts, and for the objects of the object service.",
      }),
    ),
    forcePathStyle: flag(false, {
      description: "Whether the bucket stands in the URL's path and not in its host name, as MinIO wants it.",
    }),
    signPublicUrls: flag(false, {
      description:
        "Whether URLs of the public bucket are signed. If so, nobody else needs to be able to read it; if not, everybody must.",
    }),
    cdnUrl: Type.Optional(
      text({
        written: "url",
        ...httpUrl,
        derived: "none",
        description:
          "What serves the public bucket's content: its keys are appended. Skipped by requests with the header `x-taskcluster-skip-cdn: true`.",
      }),
    ),
    manageCors: flag(true, {
      description:
        "Whether the server, when it starts, sees to it that browsers may read from and write to the buckets.",
    }),
  }),

  objects: section("The object service.", {
    cdn: list(cdnRule, [], {
      description:
        "Download URLs of some objects lead elsewhere: a list of regexp (on the name) and baseUrl (the name is appended). The first that matches counts.",
    }),
  }),

  events: section("The event log and its streams.", {
    retention: duration("7d", {
      min: "1m",
      description: "How long events are kept, and so how far back a reader may resume.",
    }),
    pollInterval: duration("2s", {
      max: longestTimer,
      description: "How often readers look for events although no signal came: the safety net.",
    }),
    pingInterval: duration("20s", {
      max: longestTimer,
      description: "How often an idle stream gets a ping, so that proxies keep it open.",
    }),
    public: flag(true, { description: "Whether events may be read without credentials." }),
    notifyInterval: duration("10ms", {
      max: "1m",
      description:
        "Other processes are told of new events at most once in this time, outside of any transaction.",
    }),
  }),

  log: section("What the process says of itself.", {
    level: choice(["trace", "debug", "info", "warn", "error", "fatal", "silent"], {
      preset: "info",
      description: "The least severe level that is written.",
    }),
    format: choice(["pretty", "json"], {
      derived: "pretty on a terminal, json otherwise",
      description: "Lines for people or for machines.",
    }),
  }),

  monitor: section("Where errors are reported, besides the log.", {
    sentryDsn: Type.Optional(
      text({
        secret: true,
        pattern: "^https?://[^@\\s/]+@[^/\\s]+/(.+/)?[0-9]+$",
        expected: "a DSN such as https://key@sentry.example.com/42",
        derived: "errors are not sent anywhere",
        description: "The DSN of a Sentry project.",
      }),
    ),
  }),

  worker: section("The worker that `taskyard worker` and `taskyard up` start.", {
    taskQueueId: text({
      preset: "local/default",
      pattern: "^[a-zA-Z0-9_-]{1,38}/[a-z]([-a-z0-9]{0,36}[a-z0-9])?$",
      expected: "a provisioner id, a slash and a worker type in lower case, such as local/default",
      description: "The queue whose tasks it runs.",
    }),
    workerGroup: text({
      preset: "local",
      pattern: identifierPattern,
      expected: "1 to 38 characters of A-Z a-z 0-9 _ -",
      description: "The group it belongs to, such as a region.",
    }),
    workerId: text({
      pattern: identifierPattern,
      expected: "1 to 38 characters of A-Z a-z 0-9 _ -",
      derived: "from the host's name",
      description: "Its name, unique in its group.",
    }),
    capacity: count({
      min: 1,
      max: 1000,
      derived: "the number of cores",
      description: "Tasks that it runs at once.",
    }),
    workDir: path({
      derived: "worker in the home folder",
      description: "Where tasks run and leave their files.",
    }),
  }),
});

function section<P extends TProperties>(description: string, properties: P): TObject<P> {
  return Type.Object(properties, { description });
}
