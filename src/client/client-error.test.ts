import { expect, expectTypeOf, test } from "vitest";
import { ClientError, type ErrorBody } from "./client-error.ts";
import type { errorStatus } from "../lib/errors.ts";

/** Fails to compile if a code is not narrowed. */
function describe(error: unknown): string {
  if (!(error instanceof ClientError)) return "not an error of a call";
  expectTypeOf(error.message).toEqualTypeOf<string>();
  switch (error.code) {
    case "ResourceNotFound":
      expectTypeOf(error.statusCode).toEqualTypeOf<404>();
      expectTypeOf(error.body).toEqualTypeOf<ErrorBody>();
      return `404 ${error.body.code}`;
    case "NoAnswer":
    case "Timeout":
      expectTypeOf(error.statusCode).toEqualTypeOf<undefined>();
      return "no reply";
    case "NoContent":
      return error.body.reason;
    default:
      return `another: ${error.code}`;
  }
}

test("the code narrows the status and the body", () => {
  const body = { code: "ResourceNotFound", message: "none" };
  const failure = { method: "queue.task", code: "ResourceNotFound", statusCode: 404, body };
  expect(describe(new ClientError("none", failure))).toBe("404 ResourceNotFound");
  expect(describe(new ClientError("", { method: "m", code: "Timeout" }))).toBe("no reply");
  expect(describe(new ClientError("", { method: "m", code: "Status418", statusCode: 418 }))).toBe(
    "another: Status418",
  );
  expect(describe(new Error("other"))).toBe("not an error of a call");
});

test("every code of the API is a code of the union, and others are not", () => {
  expectTypeOf<keyof typeof errorStatus>().toExtend<ClientError["code"]>();
  const wrong = (error: ClientError): boolean =>
    // @ts-expect-error -- misspelled
    error.code === "ResourceNotfound";
  expect(wrong).toBeTypeOf("function");
});

test("an error is an Error with a stack and a cause", () => {
  const cause = new Error("torn");
  const error = new ClientError("no answer", { method: "queue.ping", code: "NoAnswer" }, { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: "ClientError", method: "queue.ping", cause, statusCode: undefined });
  expect(error.stack).toContain("no answer");
});
