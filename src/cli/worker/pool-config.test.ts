import { describe, expect, it } from "vitest";
import { readPoolConfig } from "./pool-config.ts";

const read = (config: object) => readPoolConfig({ ...config }, "ci/linux");
const settings = (config: object) => read(config).flags.map(({ key, value }) => [key, value]);

describe("the workerConfig of a pool", () => {
  it("changes how tasks run, with the settings of taskyard.yml", () => {
    expect(settings({ taskyard: { capacity: 4, maxTaskRunTime: "2h", stopGrace: "10m" } })).toEqual([
      ["worker.capacity", 4],
      ["worker.maxTaskRunTime", "2h"],
      ["worker.stopGrace", "10m"],
    ]);
  });

  it.each(["taskUser", "workDir", "workerId", "liveLogHost", "taskNamespaces", "capcity"])(
    "cannot change %s",
    (name) => {
      expect(() => read({ taskyard: { [name]: "x" } })).toThrow(
        `workerConfig.taskyard.${name} of the pool ci/linux is no setting that a pool may change: remove it from the pool.`,
      );
    },
  );

  it("may be that of generic-worker, in both of its forms, of which two members have an effect", () => {
    const config = { capacity: 2, maxTaskRunTime: 7200, idleTimeoutSecs: 60 };
    expect(read({ genericWorker: { config, files: [] }, other: 1 })).toEqual({
      flags: [
        expect.objectContaining({ key: "worker.capacity", value: 2 }),
        {
          key: "worker.maxTaskRunTime",
          value: "7200s",
          flag: expect.stringContaining("genericWorker.config.max"),
        },
      ],
      ignored: ["genericWorker.config.idleTimeoutSecs", "genericWorker.files", "other"],
    });
    expect(settings({ ...config, taskyard: { capacity: 3 } })).toEqual([
      ["worker.capacity", 2],
      ["worker.maxTaskRunTime", "7200s"],
      // The last one applies.
      ["worker.capacity", 3],
    ]);
    expect(read(config).ignored).toEqual(["idleTimeoutSecs"]);
    expect(read({})).toEqual({ flags: [], ignored: [] });
  });

  it.each([{ taskyard: 1 }, { genericWorker: [] }, { genericWorker: { config: "x" } }])(
    "must have objects where %j has none",
    (config) => {
      expect(() => read(config)).toThrow(
        "of the pool ci/linux must be an object: correct it with `taskyard pool update`",
      );
    },
  );
});
