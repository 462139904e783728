import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { slugid } from "../lib/slugid.ts";
import { UsageError } from "./cli-error.ts";
import { parseCommandLine } from "./command-line.ts";
import { command } from "./command.ts";

const options = {
  all: { type: "flag", short: "a", summary: "…" },
  name: { type: "value", short: "n", value: "NAME", summary: "…" },
  env: { type: "value", short: "e", value: "K=V", multiple: true, summary: "…" },
} as const;
const common = { summary: "…", options, examples: [], run: () => Promise.resolve(0) };
const plain = command({
  ...common,
  name: "plain",
  args: [{ name: "FIRST" }, { name: "SECOND", optional: true }],
});
const wrapping = command({ ...common, name: "wrapping", args: [{ name: "CMD", rest: true }] });

/** The message of the usage error. */
const usageError = (words: string[], of = plain): string => {
  try {
    parseCommandLine(of, words);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("the command line was accepted");
};

describe("options", () => {
  test("have the given value, or their default", () => {
    expect(parseCommandLine(plain, ["x"])).toEqual({
      help: false,
      options: { all: false, env: [] },
      args: ["x"],
    });
    expect(parseCommandLine(plain, ["-a", "--name=N", "-e", "A=1", "x", "--env", "B=-2", "y"])).toEqual({
      help: false,
      options: { all: true, name: "N", env: ["A=1", "B=-2"] },
      args: ["x", "y"],
    });
  });

  test.each([
    [["--nmae", "x"], "plain has no option --nmae; did you mean --name?"],
    [["--quite-another", "x"], "plain has no option --quite-another"],
    [["-x"], "plain has no option -x"],
    [["x", "--name"], "--name needs a value: --name NAME"],
    [["x", "--name", "--all"], "--name needs a value: --name NAME"],
    [["x", "-n", "-a"], "-n needs a value: -n NAME"],
    [["x", "--all=yes"], "--all takes no value: omit it"],
    [["x", "--name=1", "-n", "2"], "-n is given twice: give it once"],
    [[], "plain needs FIRST"],
    [["1", "2", "3"], "plain takes FIRST [SECOND]; unexpected argument: 3"],
  ])("%j is rejected: %s", (words, message) => {
    expect(usageError(words)).toBe(message);
  });

  test("a value may start with a dash, unless it is itself an option", () => {
    expect(parseCommandLine(plain, ["x", "--name", "-5"]).options["name"]).toBe("-5");
  });

  test("help takes precedence over later errors", () => {
    expect(parseCommandLine(plain, ["--help", "--nmae"])).toMatchObject({ help: true });
    expect(parseCommandLine(wrapping, ["-h"])).toMatchObject({ help: true });
  });
});

describe("a command that wraps another", () => {
  test("does not interpret the options of the other, with or without --", () => {
    const parsed = { options: { all: true, name: "N", env: [] }, args: ["ls", "-a", "--name", "--", "x"] };
    expect(parseCommandLine(wrapping, ["-a", "-n", "N", "ls", "-a", "--name", "--", "x"])).toMatchObject(
      parsed,
    );
    expect(
      parseCommandLine(wrapping, ["-a", "-n", "N", "--", "ls", "-a", "--name", "--", "x"]),
    ).toMatchObject(parsed);
  });

  test("needs the other command", () => {
    expect(usageError(["--all"], wrapping)).toBe("wrapping needs CMD");
    expect(usageError(["--all", "--"], wrapping)).toBe("wrapping needs CMD");
  });

  test("passes every word unchanged", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
        expect(parseCommandLine(wrapping, ["--all", "--", ...words]).args).toEqual(words);
      }),
    );
  });
});

test("ids that start with a dash are arguments and values", () => {
  const dashed = `-${slugid().slice(1)}`;
  expect(parseCommandLine(plain, ["-a", dashed, "--name", dashed])).toMatchObject({
    args: [dashed],
    options: { all: true, name: dashed },
  });
  expect(parseCommandLine(wrapping, ["--", "echo", dashed]).args).toEqual(["echo", dashed]);
});
