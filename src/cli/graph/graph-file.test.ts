import fc from "fast-check";
import Value from "typebox/value";
import { describe, expect, test } from "vitest";
import { TaskDefinitionRequest } from "../../api/queue/task.ts";
import { CliError } from "../cli-error.ts";
import { parseYaml } from "../parse-yaml.ts";
import { combinations, countCombinations, readVariables, substitute } from "./expand.ts";
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
      ["test", ["compile"], true],
      ["both", ["compile", "test"], false],
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
      "g.yml:2:1: defualts is not a known member; did you mean defaults?",
      "g.yml:4:8: comand is not a known member; did you mean command?",
      "g.yml:8:3: d must be an object",
    ]);
    expect(
      problemsOf("nam: x\ntasks:\n  a: { comand: x }\n  b: { needs: [c, a, d-*], command: x }\n"),
    ).toEqual([
      "g.yml:1:1: nam is not a known member; did you mean name?",
      "g.yml:3:8: comand is not a known member; did you mean command?",
      "g.yml:4:8: b needs c, which is not a task of the graph; did you mean a?",
      "g.yml:4:8: b needs d-*, which is not a task of the graph",
    ]);
    expect(
      problemsOf(`tasks:
  a: { comand: x }
  b: { needs: 3, command: x }
  d: 3
  e-{{x}}: { for: { x: 3..1 }, command: x }
  f: { for: { x: 1..2 }, command: x }
  g-{{y}}: { command: x }
`),
    ).toEqual([
      "g.yml:2:8: comand is not a known member; did you mean command?",
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

test("the number of combinations is the product of the numbers of values, and each occurs once", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom("a", "b", "c"), fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 4 })),
      (given) => {
        const variables = readVariables(given);
        if (typeof variables === "string") throw new Error(variables);
        const all = [...combinations(variables)].map((chosen) => JSON.stringify(chosen));
        expect(all).toHaveLength(countCombinations(variables));
        expect(new Set(all).size).toBe(all.length);
      },
    ),
  );
});

test("inherited properties are not variables", () => {
  expect(substitute("{{toString}} {{x}}", { x: "1" })).toBe("{{toString}} 1");
  expect(substitute("{{__proto__}}", { x: "1" })).toBe("{{__proto__}}");
  const variables = readVariables(JSON.parse('{"__proto__": [7]}'));
  expect(
    typeof variables === "string"
      ? variables
      : [...combinations(variables)].map((c) => substitute("{{__proto__}}", c)),
  ).toEqual(["7"]);
});

test("values are substituted in all strings, once", () => {
  expect(substitute({ a: ["{{x}}{{ x }}", 1, null], b: "${{y}}" }, { x: "{{y}}", y: "2" })).toEqual({
    a: ["{{y}}{{y}}", 1, null],
    b: "$2",
  });
});
