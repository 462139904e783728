import fc from "fast-check";
import Value from "typebox/value";
import { describe, expect, test } from "vitest";
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { CliError } from "../cli-error.ts";
import { parseYaml } from "../parse-yaml.ts";
import { readGraphFile } from "./graph-file.ts";
import { graphTasks } from "./graph-tasks.ts";

const origin = {
  now: Date.UTC(2026, 0, 31, 12),
  rootUrl: "http://localhost:8080",
  taskQueueId: "local/default",
};
const read = (source: string) => readGraphFile(parseYaml(source, "g.yml"), "g.yml");
const graphOf = (source: string) => graphTasks(read(source), origin);

/** The lines of the error message. */
function problemsOf(source: string): string[] {
  try {
    graphOf(source);
  } catch (error) {
    if (error instanceof CliError) return error.message.split("\n");
    throw error;
  }
  throw new Error("the graph was accepted");
}

describe("a graph file", () => {
  test("becomes tasks that the queue accepts, with their dependencies", () => {
    const graph = graphOf(`
      name: a build
      defaults: { priority: low, env: { A: 1, B: two }, deadline: 2 hours }
      tasks:
        compile:
          command: |
            make
            make install
          env: { B: mine }
          artifacts: [out/, log.txt]
        test:
          needs: compile
          command: [npm, test]
          maxRunTime: 10m
          requires: all-resolved
          description: Tests it.
        both:
          needs: [compile, test]
          taskQueueId: proj/linux
          command: [[echo, 1], [echo, two]]`);
    const [compile, testing, both] = graph.requests;
    for (const { task } of graph.requests) expect(Value.Errors(TaskDefinitionRequest, task)).toEqual([]);
    expect(compile?.task).toMatchObject({
      taskGroupId: graph.taskGroupId,
      taskQueueId: "local/default",
      dependencies: [],
      priority: "low",
      created: "2026-01-31T12:00:00.000Z",
      deadline: "2026-01-31T14:00:00.000Z",
      expires: "2026-02-28T12:00:00.000Z",
      payload: {
        command: [["sh", "-ec", "make\nmake install\n"]],
        env: { A: "1", B: "mine" },
        maxRunTime: 3600,
        artifacts: [
          { type: "directory", path: "out", name: "public/out" },
          { type: "file", path: "log.txt", name: "public/log.txt" },
        ],
      },
      metadata: {
        name: "compile",
        description: "compile, of the graph a build",
        source: "http://localhost:8080",
      },
    });
    expect(testing?.task).toMatchObject({
      dependencies: [compile?.taskId],
      payload: { command: [["npm", "test"]], maxRunTime: 600 },
      metadata: { description: "Tests it." },
    });
    expect(both?.task).toMatchObject({
      taskQueueId: "proj/linux",
      dependencies: [compile?.taskId, testing?.taskId],
      payload: {
        command: [
          ["echo", "1"],
          ["echo", "two"],
        ],
      },
    });
    expect(graph.tasks.map(({ name, needs, anyResolution }) => [name, needs, anyResolution])).toEqual([
      ["compile", [], false],
      ["test", [compile?.taskId], true],
      ["both", [compile?.taskId, testing?.taskId], false],
    ]);
  });

  test("may be JSON, have no name, and use its own payloads", () => {
    const { name, requests } = graphOf(
      '{"tasks":{"a":{"payload":{"image":"x","env":{"A":"1"}},"env":{"B":true}}}}',
    );
    expect(name).toBe("g");
    expect(requests[0]?.task.payload).toEqual({ image: "x", env: { A: "1", B: "true" } });
  });

  test("expands tasks with variables, and patterns in needs", () => {
    const { tasks } = read(`
      tasks:
        build-{{os}}-{{n}}: { for: { os: [linux, mac], n: 9..10 }, command: "make {{os}} {{n}} {{other}}" }
        check-{{os}}: { for: { os: [linux, mac] }, needs: "build-{{os}}-*", command: x }
        end: { needs: ["*"], command: x }`);
    expect(tasks.map(({ name, needs }) => [name, ...needs])).toEqual([
      ["build-linux-9"],
      ["build-linux-10"],
      ["build-mac-9"],
      ["build-mac-10"],
      ["check-linux", "build-linux-9", "build-linux-10"],
      ["check-mac", "build-mac-9", "build-mac-10"],
      ["end", ...tasks.slice(0, -1).map(({ name }) => name)],
    ]);
    expect(tasks[3]?.members["command"]).toBe("make mac 10 {{other}}");
  });

  test("keeps numbers as they are written wherever a string is needed", () => {
    const { name, requests } = graphOf(`
name: 1.10
defaults: { env: { SHA: 1234567e8, HEX: 0x10 }, tags: { v: 3.10 } }
tasks:
  3.10: { command: echo, description: 2.50, retries: 03 }
  t-{{py}}-{{n}}:
    for: { py: [3.9, 3.10], n: [007, 9007199254740993] }
    needs: 3.10
    command: [python, "{{py}}", 1.0]
    env: { PY: "{{py}}", BIG: 9007199254740993, ON: Yes, DAY: 2026-01-31, T: True }
    extra: { version: 3.10, sha: "{{n}}" }`);
    expect(name).toBe("1.10");
    const tasks = requests.map(({ task }) => task);
    expect(tasks.map(({ metadata }) => metadata.name)).toEqual([
      "3.10",
      "t-3.9-007",
      "t-3.9-9007199254740993",
      "t-3.10-007",
      "t-3.10-9007199254740993",
    ]);
    expect(tasks[0]).toMatchObject({ metadata: { description: "2.50" }, retries: 3 });
    expect(tasks[3]).toMatchObject({
      dependencies: [requests[0]?.taskId],
      payload: {
        command: [["python", "3.10", "1.0"]],
        env: {
          SHA: "1234567e8",
          HEX: "0x10",
          PY: "3.10",
          BIG: "9007199254740993",
          ON: "Yes",
          DAY: "2026-01-31",
          T: "True",
        },
      },
      tags: { v: "3.10" },
      extra: { version: 3.1, sha: "007", taskyard: { graph: "1.10" } },
    });
    expect(problemsOf("tasks:\n  a: { command: x, extra: { n: 9007199254740993 } }")).toEqual([
      "g.yml:2:29: a: 9007199254740993 has more digits than a number keeps, and would become 9007199254740992; put it in quotes",
    ]);
  });

  test("that a worker would refuse is rejected with the lines", () => {
    expect(
      problemsOf(`defaults:
  env: { D: [1] }
tasks:
  a: { command: x, env: { B: [1] }, maxRunTime: 1.5 }
  b: { command: x, env: { A: x, C: } }
  c: { command: x }
  d: { payload: { command: [[x]], maxRunTime: 0, artefacts: [] } }
  e-{{n}}: { for: { n: 1..9 }, command: x, maxRunTime: 0 }
  f: { command: x, payload: { features: { interactive: true }, image: y } }
`),
    ).toEqual([
      "g.yml:4:37: a: maxRunTime must be integer",
      "g.yml:2:10: a: env.D must be string",
      "g.yml:4:27: a: env.B must be string",
      "g.yml:5:33: b: env.C must be string",
      'g.yml:7:50: d: payload has the unknown property "artefacts"',
      "g.yml:7:35: d: payload.maxRunTime must be >= 1",
      "g.yml:8:44: e-1: maxRunTime must be >= 1",
      expect.stringMatching(/^g\.yml:9:64: f: payload\.image belongs to tasks that run in a container; /),
      'g.yml:9:64: f: payload has the unknown property "image"',
    ]);
    expect(
      problemsOf(`tasks:
  a: { command: x, env: { "": x } }
  b: { command: x, artifacts: [a.txt, ü.txt] }
  d: { command: x, artifacts: [../out, /etc/passwd] }
  c: { command: x, payload: { features: { interactive: true } } }
`),
    ).toEqual([
      'g.yml:2:20: a: env has the name ""; a name is not empty and has no "="',
      'g.yml:3:39: b: artifacts[1] has the name "public/ü.txt", which has characters other than printable ASCII; give it another "name"',
      `g.yml:4:32: d: artifacts[0].path is "../out", which leads out of the task's folder; copy the file into it in a command`,
      `g.yml:4:40: d: artifacts[1].path is "/etc/passwd", which is absolute; write it relative to the task's folder, such as out/file`,
      "g.yml:5:43: c: payload.features.interactive is not supported by this worker yet; leave it out or set it to false",
    ]);
  });

  test("with a member in the wrong place is rejected with the right one", () => {
    expect(
      problemsOf(`command: x
retries: 3
defaults: { needs: [a] }
tasks:
  a: { command: x, onExitStatus: { retry: [1] }, owner: me, defaults: {} }
`),
    ).toEqual([
      "g.yml:1:1: command is not a known member here; it belongs to a task, or to defaults",
      "g.yml:2:1: retries is not a known member here; it belongs to a task, or to defaults",
      "g.yml:3:13: needs is not a known member here; it belongs to a task",
      "g.yml:5:20: onExitStatus is not a known member here; it belongs to the payload: write payload: { onExitStatus: … }",
      "g.yml:5:50: owner is not a known member here; it belongs to the metadata: write metadata: { owner: … }",
      "g.yml:5:61: defaults is not a known member here; it belongs to the top of the file",
    ]);
    expect(problemsOf("tasks:\n  a: { script: x, depends_on: b, retry: 2 }\n")).toEqual([
      "g.yml:2:8: script is not a known member here; write command",
      "g.yml:2:19: depends_on is not a known member here; write needs",
      "g.yml:2:34: retry is not a known member here; write payload: { onExitStatus: { retry: [1] } }, with the exit statuses after which it runs again",
    ]);
    expect(
      problemsOf("tasks:\n  a: { command: x, payload: { retries: 3, onExitStatus: { retry: [1] } } }\n"),
    ).toEqual([
      'g.yml:2:31: a: payload has the unknown property "retries"; retries is a member of the task: write it beside payload',
    ]);
    expect(
      problemsOf(
        "tasks:\n  a: { command: x, payload: { artifacts: [{ type: file, name: a, path: a, expires: { $fromNow: soon } }] } }\n",
      ),
    ).toEqual([
      "g.yml:2:75: a: payload.artifacts.0.expires: $fromNow: soon is not a relative time such as 2 hours or 1 year 6 months",
    ]);
  });

  test("may have other payloads, which are not checked", () => {
    const { requests } = graphOf(
      "tasks: { a: { payload: { image: x, command: [sleep, 1], env: { A: [1], B: 1.0 } } } }",
    );
    expect(requests[0]?.task.payload).toEqual({
      image: "x",
      command: ["sleep", "1"],
      env: { A: [1], B: "1.0" },
    });
  });

  test("that is invalid is rejected with the line and column of every problem", () => {
    expect(
      problemsOf(`name: x
defualts: {}
tasks:
  a: { comand: x }
  b:
    needs: [c, a]
    command: x
  d: 3
`),
    ).toEqual([
      "g.yml:2:1: defualts is not a known member here; did you mean defaults?",
      "g.yml:4:8: comand is not a known member here; did you mean command?",
      "g.yml:8:3: d must be an object",
    ]);
    expect(
      problemsOf("nam: x\ntasks:\n  a: { comand: x }\n  b: { needs: [c, a, d-*], command: x }\n"),
    ).toEqual([
      "g.yml:1:1: nam is not a known member here; did you mean name?",
      "g.yml:3:8: comand is not a known member here; did you mean command?",
      "g.yml:4:8: b needs c, which is not a task of the graph; did you mean a?",
      "g.yml:4:8: b needs d-*, which is not a task of the graph",
    ]);
    expect(
      problemsOf(`tasks:
  a: { comand: x }
  b: { needs: {}, command: x }
  d: 3
  e-{{x}}: { for: { x: 3..1 }, command: x }
  f: { for: { x: 1..2 }, command: x }
  g-{{y}}: { command: x }
`),
    ).toEqual([
      "g.yml:2:8: comand is not a known member here; did you mean command?",
      "g.yml:3:8: needs must be the name of a task, or a list of names",
      "g.yml:4:3: d must be an object",
      "g.yml:5:14: for.x must be a range such as 1..20, or a list of strings and numbers",
      "g.yml:6:3: more than one task is named f: add {{x}} to its name",
      "g.yml:7:3: {{y}} in the name or in needs is not a variable of for",
    ]);
    expect(problemsOf("tasks:\n  compile: { command: x }\n  b: { needs: [compil], command: x }\n")).toEqual([
      "g.yml:3:8: b needs compil, which is not a task of the graph; did you mean compile?",
    ]);
    expect(
      problemsOf(
        "tasks:\n  a: { needs: [] }\n  b: { command: {} }\n  c: { command: x, maxRunTime: soon }\n  d: { command: x, env: 1, artifacts: x }\n",
      ),
    ).toEqual([
      "g.yml:2:3: a: command is missing; add a command or a payload",
      "g.yml:3:8: b: command must be a shell script, a list of words, or a list of such lists",
      "g.yml:4:20: c: maxRunTime soon is not a duration: write a whole number and a unit, such as 20m, 1200s or 500ms",
      "g.yml:5:20: d: env must be an object of names and values",
      "g.yml:5:28: d: artifacts must be a list of paths; a folder ends in /",
    ]);
  });

  test("reports a problem of a task with variables once", () => {
    expect(
      problemsOf(`tasks:
  a-{{n}}: { for: { n: 1..9 }, command: {}, deadline: tomorrow, expires: 5 }
  b-{{n}}: { for: { n: 1..9 }, command: "x", taskQueueId: "here-{{n}}" }
`).slice(0, 4),
    ).toEqual([
      "g.yml:2:32: a-1: command must be a shell script, a list of words, or a list of such lists",
      "g.yml:2:45: a-1: deadline: tomorrow is not a time such as 2 hours or 2026-01-31T12:00:00Z",
      "g.yml:2:65: a-1: expires: 5 is not a time such as 2 hours or 2026-01-31T12:00:00Z",
      "g.yml:3:46: b-1: taskQueueId: here-1 is not a task queue such as local/default",
    ]);
  });

  test("has names without control characters", () => {
    const text = "the name of a task must not be empty or have line breaks or control characters";
    expect(problemsOf('tasks:\n  "": { command: x }\n  "a\\nb": { command: x }\n')).toEqual([
      `g.yml:2:3: ${text}`,
      `g.yml:3:3: ${text}`,
    ]);
    expect(problemsOf('name: "a\\eb"\ntasks: { a: { command: x } }\n')).toEqual([
      "g.yml:1:1: name must be a string without line breaks or control characters",
    ]);
  });

  test("with more dependencies than fit into one call is rejected before they fill the memory", () => {
    expect(
      problemsOf(
        "tasks:\n  a{{n}}: { for: { n: 1..5000 }, command: x }\n  b{{n}}: { for: { n: 1..5000 }, needs: a*, command: x }\n",
      ),
    ).toEqual([
      "g.yml:3:34: b401 exceeds the maximum of 2000000 dependencies: add a task that needs all of these, and need only that task",
    ]);
  });

  // Suggestions for all of them would take minutes.
  test("with thousands of wrong names is rejected quickly", () => {
    const lines = problemsOf(
      "tasks:\n  some-task-{{n}}: { for: { n: 1..5000 }, needs: 'some-tusk-{{n}}', command: x }\n",
    );
    expect(lines).toHaveLength(51);
    expect(lines.at(-1)).toBe("… and 4950 more");
  });

  test("that is not a graph, or not YAML, is rejected", () => {
    expect(problemsOf("")).toEqual(["g.yml:1:1: a graph must be an object with tasks by name"]);
    expect(problemsOf("tasks: {}")).toEqual([
      "g.yml:1:1: tasks must be an object with at least one task, by name",
    ]);
    expect(problemsOf("tasks:\n  a: [1\n  b: 2\n")[0]).toMatch(/^g\.yml:3:\d+: /);
  });

  test("with more tasks than fit into one call is rejected, however they are written", () => {
    expect(problemsOf("tasks:\n  a-{{x}}-{{y}}: { for: { x: 1..9999, y: 1..9999 }, command: x }\n")).toEqual([
      "g.yml:2:3: a-{{x}}-{{y}} exceeds the maximum of 10000 tasks",
    ]);
    expect(problemsOf("tasks:\n  a-{{x}}: { for: { x: 1..999999999 }, command: x }\n")[0]).toContain(
      "for.x has 10001 values; the maximum is 10000",
    );
  });

  test("is accepted, or rejected with a position, for any input", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.jsonValue().map((json) => JSON.stringify({ tasks: json })),
        ),
        (source) => {
          try {
            graphOf(source);
          } catch (error) {
            if (!(error instanceof CliError)) throw error;
            expect(error.message).toMatch(/^g\.yml:\d+:\d+: /);
          }
        },
      ),
    );
  });
});
