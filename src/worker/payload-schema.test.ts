import Type from "typebox";
import { describe, expect, test } from "vitest";
import { startLiveLogServer } from "./live-log-server.ts";
import { nativePayload } from "./engines/native/engine.ts";
import { builtInPlugins } from "./main.ts";
import { composePayload } from "./payload-schema.ts";
import { checkedPart } from "./payload-part.ts";
import { maxRunTimePlugin } from "./plugins/max-run-time.ts";

const server = await startLiveLogServer({ host: "127.0.0.1", port: 0 });
await server.close();
const limits = { maxArtifactSize: 1e9, maxLogSize: 1e9, maxTaskRunTime: 86_400_000 };
const plugins = builtInPlugins(limits, server);
const payloads = composePayload([nativePayload, ...plugins]);
const minimal = { command: [["true"]], maxRunTime: 60 };

function errorsOf(payload: unknown): readonly string[] {
  const checked = payloads.check(payload);
  return checked.ok ? [] : checked.errors;
}

describe("the composed payload", () => {
  test("requires a command and a maxRunTime, and fills in all other keys", () => {
    expect(payloads.check(minimal)).toEqual({
      ok: true,
      payload: {
        ...minimal,
        env: {},
        artifacts: [],
        mounts: [],
        osGroups: [],
        onExitStatus: { retry: [], purgeCaches: [] },
        logs: { live: "public/logs/live.log", backing: "public/logs/live_backing.log" },
        taskclusterProxyInterface: "localhost",
        features: {
          liveLog: true,
          backingLog: true,
          taskclusterProxy: false,
          interactive: false,
          loopbackVideo: false,
          loopbackAudio: false,
          chainOfTrust: false,
          runTaskAsCurrentUser: false,
          resourceMonitor: true,
        },
      },
    });
  });

  test("has at most 10,000 artifacts, of which each is another one", () => {
    const artifact = (name: number) => ({ type: "file", path: "a", name: String(name) });
    const artifacts = Array.from({ length: 9_999 }, (_, i) => artifact(i));
    expect(payloads.check({ ...minimal, artifacts })).toMatchObject({ ok: true });
    // The members are in a different order.
    const { type, path, name } = artifact(7);
    expect(errorsOf({ ...minimal, artifacts: [...artifacts, { name, path, type }] })).toEqual([
      "payload.artifacts has the same item twice (numbers 7 and 9999)",
    ]);
    expect(errorsOf({ ...minimal, artifacts: [...artifacts, artifact(-1), artifact(-2)] })).toEqual([
      "payload.artifacts must NOT have more than 10000 items",
    ]);
  });

  test("that is long is refused with its first fault only", () => {
    const artifacts = Array.from({ length: 5_000 }, (_, i) => ({ nonsense: i }));
    expect(errorsOf({ ...minimal, artifacts })).toHaveLength(1);
    expect(errorsOf({ ...minimal, artifacts: artifacts.slice(0, 10) }).length).toBeGreaterThan(10);
  });

  test("does not change the task's own payload", () => {
    payloads.check(minimal);
    expect(minimal).toEqual({ command: [["true"]], maxRunTime: 60 });
  });

  test("does not require keys that have a default, at any depth", () => {
    const json = JSON.stringify(payloads.json);
    expect(JSON.parse(json)).toMatchObject({
      required: ["command", "maxRunTime"],
      additionalProperties: false,
    });
    expect(json).toContain('"required":["type","path"]');
    expect(json).not.toContain('"required":["live"');
  });

  test.each<[string, unknown, string]>([
    ["a missing key", { command: [["true"]] }, "payload.maxRunTime is missing"],
    ["an unknown key", { ...minimal, cmd: 1 }, 'payload has the unknown property "cmd"'],
    [
      "an unknown feature",
      { ...minimal, features: { warp: true } },
      'payload.features has the unknown property "warp"',
    ],
    [
      "a wrong type in a nested value",
      { ...minimal, command: [["a", 1]] },
      "payload.command[0][1] must be string",
    ],
    ["no command", { ...minimal, command: [] }, "payload.command must NOT have fewer than 1 items"],
    ["a maxRunTime of zero", { ...minimal, maxRunTime: 0 }, "payload.maxRunTime must be >= 1"],
    [
      "an artifact of an unknown type",
      { ...minimal, artifacts: [{ type: "volume", path: "x" }] },
      'payload.artifacts[0].type must be one of ["file","directory"]',
    ],
    [
      "the same artifact twice",
      {
        ...minimal,
        artifacts: [
          { type: "file", path: "x" },
          { type: "file", path: "x" },
        ],
      },
      "payload.artifacts has the same item twice (numbers 0 and 1)",
    ],
    ["a value that is not an object", [], "payload must be object"],
  ])("reports where and what is wrong: %s", (_, payload, error) => {
    expect(errorsOf(payload)).toContain(error);
  });

  test("explains a payload for a container", () => {
    expect(errorsOf({ image: "debian", command: ["ls"], maxRunTime: 1 })[0]).toContain(
      "payload.image belongs to tasks that run in a container",
    );
  });

  test("refuses parts that declare the same key differently", () => {
    const none = () => [];
    const part = { name: "other", payloadSchema: Type.Object({ maxRunTime: Type.String() }), faults: none };
    expect(() => composePayload([maxRunTimePlugin(60), part])).toThrow(
      '"other" declares payload.maxRunTime differently from another part of the worker',
    );
    const flags = (flag: object) => Type.Object({ features: Type.Object({ f: Type.Unsafe<boolean>(flag) }) });
    const first = { name: "a", payloadSchema: flags({ type: "boolean", default: true }), faults: none };
    const second = { name: "b", payloadSchema: flags({ type: "boolean", default: false }), faults: none };
    expect(() => composePayload([first, second])).toThrow('"b" declares payload.features.f differently');
  });
});

describe("for a malformed payload", () => {
  const logs = plugins.find(({ name }) => name === "logs");

  test.each<[string, unknown, string]>([
    ["keeps valid keys", { logs: { backing: "public/my.log" } }, "public/my.log"],
    ["gets defaults for invalid ones", { logs: { backing: 7 } }, "public/logs/live_backing.log"],
    ["gets defaults where the payload is not an object", "nonsense", "public/logs/live_backing.log"],
  ])("a part %s", (_, payload, backing) => {
    expect(logs && payloads.salvage(logs, payload)).toMatchObject({ logs: { backing } });
  });
});

test("a part gets only its own keys", () => {
  const own = checkedPart(Type.Object({ a: Type.Number(), features: Type.Object({ x: Type.Boolean() }) }));
  expect(own({ a: 1, b: 2, features: { x: true, y: true } })).toEqual({ a: 1, features: { x: true } });
  expect(() => own({ a: "1" })).toThrow("used before it was validated");
});
