// Settings of what every service is built on: HTTP server, database, artifact store, event log, logging.
import Type, { type Static, type TObject } from "typebox";
import {
  choice,
  count,
  duration,
  flag,
  longestTimer,
  section,
  size,
  text,
  type ReadonlySettings,
} from "../../../lib/setting.ts";
import { artifacts, s3 } from "./storage-settings.ts";

const server = section("The HTTP server.", {
  host: text({
    preset: "127.0.0.1",
    description: "The address to listen on. Anything but a loopback address opens the server to the network.",
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
    description: "How long an idle connection stays open; longer than the idle time of usual load balancers.",
  }),
  trustProxy: flag(false, {
    description:
      "Whether x-forwarded-* headers are believed. Only where a proxy that sets them is the only way in.",
  }),
  stopTimeout: duration("10s", {
    max: longestTimer,
    description: "How long a graceful stop may take before the process ends anyway.",
  }),
});

const database = section("PostgreSQL.", {
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
});

const events = section("The event log and its streams.", {
  retention: duration("7d", {
    min: "1m",
    description: "How long events are kept, and so how far back a reader may resume.",
  }),
  pollInterval: duration("2s", {
    max: longestTimer,
    description: "How often readers poll for events when no signal arrives: the safety net.",
  }),
  notifyInterval: duration("10ms", {
    max: "1m",
    description:
      "Other processes are notified of new events at most once in this interval, outside of any transaction.",
  }),
});

const log = section("What the process says of itself.", {
  level: choice(["trace", "debug", "info", "warn", "error", "fatal", "silent"], {
    preset: "info",
    description: "The least severe level that is written.",
  }),
  format: choice(["pretty", "json"], {
    derived: "pretty on a terminal, json otherwise",
    description: "Lines for people or for machines.",
  }),
});

const monitor = section("Where errors are reported, besides the log.", {
  sentryDsn: Type.Optional(
    text({
      secret: true,
      pattern: "^https?://[^@\\s/]+@[^/\\s]+/(.+/)?[0-9]+$",
      expected: "a DSN such as https://key@sentry.example.com/42",
      derived: "errors are not sent anywhere",
      description: "The DSN of a Sentry project.",
    }),
  ),
});

/** The sections by name. */
export const coreSettings = { server, database, artifacts, s3, events, log, monitor };

/** The loaded core settings: durations in milliseconds, sizes in bytes, paths absolute. */
export type CoreConfig = ReadonlySettings<Static<TObject<typeof coreSettings>>>;
