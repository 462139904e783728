import fc from "fast-check";
import { expect, it } from "vitest";
import { subjectOf } from "./subject.ts";

it("names project, scheduler and task queue, with slashes as they are", () => {
  const task = { projectId: "org/app", schedulerId: "ci-3", taskQueueId: "aws/linux-large" };
  expect(subjectOf(task)).toBe("project:org/app:scheduler:ci-3:queue:aws/linux-large");
});

it("escapes separators and wildcards", () => {
  const task = { projectId: "a:scheduler:b*?%2A", schedulerId: "s", taskQueueId: "p/w" };
  expect(subjectOf(task)).toBe("project:a%3Ascheduler%3Ab%2A%3F%252A:scheduler:s:queue:p/w");
});

it("differs for different values, and contains nothing but the characters that policies take literally", () => {
  const part = fc.string({
    unit: fc.constantFrom("a", ":", "%", "/", "*", "?", "3A", ":scheduler:", ":queue:"),
    maxLength: 8,
  });
  const named = fc.record({ projectId: part, schedulerId: part, taskQueueId: part });
  fc.assert(
    fc.property(named, named, (a, b) => {
      expect(subjectOf(a) === subjectOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      expect(subjectOf(a)).toMatch(/^project:[\w./%-]*:scheduler:[\w./%-]*:queue:[\w./%-]*$/);
    }),
  );
});

it("refuses a subject that is too long for OpenID Connect", () => {
  const task = { projectId: "p".repeat(250), schedulerId: "s", taskQueueId: "p/w" };
  expect(() => subjectOf(task)).toThrow(
    "The subject of a token has at most 255 characters, and that of this task would have 280: create it with a shorter projectId.",
  );
});
