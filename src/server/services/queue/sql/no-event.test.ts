// Updates that log no event must say so, or the watchdog reports missing events that never existed.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { noEvent } from "./no-event.ts";

const server = new URL("../../..", import.meta.url).pathname;

/** The `set` lists of all updates of runs and definitions in a source. */
const setLists = (source: string): string[] =>
  [...source.matchAll(/\bupdate\s+(?:runs|task_definitions)\b.*?\bset\b(.*?)(?=\bwhere\b)/gs)].map(
    ([, list = ""]) => list,
  );

/** An update is a transition, which logs an event in the same statement, or declares that it logs none. */
const isDeclared = (setList: string): boolean => /\bstate = /.test(setList) || setList.includes("${noEvent}");

it("finds updates that are neither a transition nor declared", () => {
  const source = `
    update runs r set state = 'running', started = now() where r.run_id = 0
    update runs set priority = 7 where run_id = 0
    update task_definitions d set \${noEvent}, definition = '' from x where d.task_id = x.task_id
    update tasks t set priority = 7 where true`;
  expect(setLists(source).map(isDeclared)).toEqual([true, false, true]);
});

it("every update of runs or definitions is a transition or is declared to log no event", () => {
  const files = readdirSync(server, { recursive: true, encoding: "utf8" }).filter(
    (file) => (file.endsWith(".ts") && !file.endsWith(".test.ts")) || /^db\/functions\/.*\.sql$/.test(file),
  );
  const updates = files.flatMap((file) =>
    setLists(readFileSync(join(server, file), "utf8")).map((setList) => ({ file, setList })),
  );
  expect(updates.length).toBeGreaterThanOrEqual(8);
  expect(updates.filter(({ setList }) => !isDeclared(setList))).toEqual([]);
  expect(noEvent.text).toBe("quiet = true");
});
