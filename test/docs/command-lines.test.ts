import { describe, expect, test } from "vitest";
import { commandLinesIn, problemOfCommand } from "./command-lines.ts";

test("commandLinesIn finds calls in scripts, units and substitutions, each up to its end", () => {
  const text = [
    'eval "$(npx taskyard env)" && taskyard ping; taskyard version # a comment',
    "A=b npx taskyard run --env 'C=d e' -- \\",
    '  sh -c "echo \\"f\\" g#h" | head -1',
    "ExecStart=/usr/local/bin/taskyard serve --port 80",
    "User=taskyard",
    "cat taskyard.yml > /var/lib/taskyard",
  ].join("\n");
  expect(commandLinesIn(text)).toEqual([
    ["env"],
    ["ping"],
    ["version"],
    ["run", "--env", "C=d e", "--", "sh", "-c", 'echo "f" g#h'],
    ["serve", "--port", "80"],
  ]);
});

describe("problemOfCommand", () => {
  test.each([
    "task log ID",
    "task log",
    "task log -f",
    "run -- x --y",
    "task",
    "help",
    "help task why",
    "task why --help",
    "--version",
  ])("accepts %s", (line) => {
    expect(problemOfCommand(line.split(" "))).toBe(undefined);
  });
  test.each([
    ["tsak", "there is no command tsak"],
    ["task lgo ID", "there is no command task lgo"],
    ["task log --folow ID", "task log has no option --folow; did you mean --follow?"],
    ["task log ID ID2", "task log takes TASK_ID; unexpected argument: ID2"],
    ["up --port", "--port needs a value: --port N"],
  ])("rejects %s", (line, message) => {
    expect(problemOfCommand(line.split(" "))).toBe(message);
  });
});
