// Every setting of Taskyard, once, the long sections in files of their own: the file, the environment, the flags, the
// loaded type and the reference page are all read from here. Intervals and limits follow the system we are compatible with unless said otherwise.
import Type from "typebox";
import { auth } from "./sections/auth.ts";
import { queue } from "./sections/queue.ts";
import { artifacts, objects, s3 } from "./sections/storage.ts";
import { choice, count, duration, flag, longestTimer, path, section, size, text } from "./setting.ts";

const identifierPattern = "^[a-zA-Z0-9_-]{1,38}$";

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

  auth,

  queue,

  artifacts,

  s3,

  objects,

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
