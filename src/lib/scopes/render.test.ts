import { expect, expectTypeOf, test } from "vitest";
import { fillScope, renderScopes, templateParams } from "./render.ts";
import { allOf, anyOf, forEach, ifThen, type ScopeParams } from "./template.ts";

const createTask = allOf(
  forEach("scope", "scopes", "<scope>"),
  forEach("route", "routes", "queue:route:<route>"),
  "queue:scheduler-id:<schedulerId>",
  anyOf(forEach("priority", "priorities", "queue:create-task:<priority>:<taskQueueId>")),
);
const credentials = ifThen("readOnly", anyOf("read:<bucket>", "write:<bucket>"), "write:<bucket>");

test("constructors create the shapes that references publish", () => {
  expect(allOf("a:<x>", forEach("scope", "scopes", "<scope>"))).toEqual({
    AllOf: ["a:<x>", { for: "scope", in: "scopes", each: "<scope>" }],
  });
  expect(anyOf("a", "b")).toEqual({ AnyOf: ["a", "b"] });
  expect(JSON.stringify(ifThen("flag", "a"))).toBe('{"if":"flag","then":"a"}');
  expect(JSON.stringify(ifThen("flag", "a", "b"))).toBe('{"if":"flag","then":"a","else":"b"}');
});

test("placeholders are replaced by text and numbers", () => {
  expect(renderScopes("task:<taskId>/<runId>/<taskId>", { taskId: "<runId>", runId: 3 })).toBe(
    "task:<runId>/3/<runId>",
  );
});

test("a single scope is filled in, with parameters that the compiler checks", () => {
  expect(fillScope("task:<taskId>/<runId>", { taskId: "T", runId: 3 })).toBe("task:T/3");
  // @ts-expect-error -- runId is missing
  expect(() => fillScope("task:<taskId>/<runId>", { taskId: "T" })).toThrow(/'runId' must be a string/);
});

test("text that only resembles a placeholder is kept", () => {
  expect(renderScopes("a:<..>:<>:<1x>:<a b>", {})).toBe("a:<..>:<>:<1x>:<a b>");
});

test("loops are spliced into the enclosing list", () => {
  expect(
    renderScopes(createTask, {
      scopes: ["x", "y"],
      routes: [],
      schedulerId: "-",
      priorities: ["high", "low"],
      taskQueueId: "p/w",
    }),
  ).toEqual({
    AllOf: [
      "x",
      "y",
      "queue:scheduler-id:-",
      { AnyOf: ["queue:create-task:high:p/w", "queue:create-task:low:p/w"] },
    ],
  });
});

test("a loop over an empty list renders to an empty list", () => {
  const template = anyOf(forEach("x", "list", "<x>"));
  expect(renderScopes(template, { list: [] })).toEqual({ AnyOf: [] });
});

test("a flag selects a branch", () => {
  expect(renderScopes(credentials, { readOnly: true, bucket: "b" })).toEqual({
    AnyOf: ["read:b", "write:b"],
  });
  expect(renderScopes(credentials, { readOnly: false, bucket: "b" })).toBe("write:b");
});

test("a false flag without an alternative requires nothing", () => {
  expect(renderScopes(ifThen("flag", "a"), { flag: false })).toBeNull();
  expect(renderScopes(allOf("b", ifThen("flag", "a")), { flag: false })).toEqual({ AllOf: ["b"] });
});

test.each([
  ["a:<x>", {}, "scope parameter 'x' must be a string or a number, not undefined"],
  ["a:<x>", { x: null }, "scope parameter 'x' must be a string or a number, not null"],
  ["a:<x>", { x: ["y"] }, "scope parameter 'x' must be a string or a number, not a list"],
  [allOf(forEach("x", "xs", "<x>")), { xs: "y" }, "scope parameter 'xs' must be a list, not string"],
  [
    allOf(forEach("x", "xs", "<x>")),
    { xs: [{}] },
    "scope parameter 'x' must be a string or a number, not object",
  ],
  [ifThen("f", "a"), { f: 1 }, "scope parameter 'f' must be a boolean, not number"],
  [ifThen("f", "a"), {}, "scope parameter 'f' must be a boolean, not undefined"],
])("%j with %j is a bug of the handler", (template, params, message) => {
  expect(() => renderScopes(template, params)).toThrow(message);
});

test("the parameters of a template are listed with their kinds, without loop variables", () => {
  expect(templateParams("plain")).toEqual([]);
  expect(templateParams(createTask)).toEqual([
    { name: "scopes", kind: "list" },
    { name: "routes", kind: "list" },
    { name: "schedulerId", kind: "text" },
    { name: "priorities", kind: "list" },
    { name: "taskQueueId", kind: "text" },
  ]);
  expect(templateParams(credentials)).toEqual([
    { name: "readOnly", kind: "flag" },
    { name: "bucket", kind: "text" },
  ]);
});

test("the compiler knows the parameters of a template", () => {
  type Text = string | number;
  expectTypeOf<ScopeParams<typeof createTask>["schedulerId" | "taskQueueId"]>().toEqualTypeOf<Text>();
  expectTypeOf<ScopeParams<typeof createTask>["scopes" | "priorities"]>().toEqualTypeOf<readonly Text[]>();
  expectTypeOf<keyof ScopeParams<typeof createTask>>().toEqualTypeOf<
    "scopes" | "routes" | "schedulerId" | "priorities" | "taskQueueId"
  >();
  expectTypeOf<ScopeParams<typeof credentials>["readOnly"]>().toEqualTypeOf<boolean>();
  const params: ScopeParams<typeof credentials> = { bucket: "b", readOnly: true };
  // @ts-expect-error the flag is missing
  const incomplete: ScopeParams<typeof credentials> = { bucket: "b" };
  expect([params, incomplete]).toHaveLength(2);
});
