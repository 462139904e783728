import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { colorsFor } from "../colors.ts";
import { createLogWriter } from "./log-writer.ts";

/** Writes the pieces one after the other and returns the output. */
async function write(
  pieces: readonly (string | Uint8Array)[],
  { quiet = false, color = false } = {},
): Promise<string> {
  const output = new PassThrough({ highWaterMark: 16 });
  const chunks: Buffer[] = [];
  output.on("data", (chunk: Buffer) => chunks.push(chunk));
  const colors = colorsFor(output, color ? { FORCE_COLOR: "1" } : {});
  const writer = createLogWriter({ output, colors, quiet });
  for (const piece of pieces) await writer.write(typeof piece === "string" ? Buffer.from(piece) : piece);
  await writer.end();
  output.end();
  await new Promise((resolve) => output.once("end", resolve));
  return Buffer.concat(chunks).toString();
}

const log = `[taskcluster 2026-01-31T12:00:00.000Z] === Task Starting ===
hello
progress 10% 20%
[taskcluster-tool] is not the worker
[taskcluster:error] exit status 3
not at the start: [taskcluster 2026-01-31T12:00:00.000Z] x
[taskcluster`;
const workers = [
  "[taskcluster 2026-01-31T12:00:00.000Z] === Task Starting ===",
  "[taskcluster:error] exit status 3",
];

test("without colors every byte passes unchanged", async () => {
  expect(await write([log])).toBe(log);
});

test("quiet leaves out the worker's lines and nothing else", async () => {
  const text = await write([log], { quiet: true });
  const left = new Set(workers);
  expect(text).toBe(
    log
      .split("\n")
      .filter((line) => !left.has(line))
      .join("\n"),
  );
});

test("on a terminal the worker's lines are dim, and its errors red", async () => {
  const text = await write([log], { color: true });
  expect(text).toContain(`\u001B[2m${workers[0]}\u001B[22m\nhello\n`);
  expect(text).toContain(`\u001B[31m${workers[1]}\u001B[39m\n`);
  expect(text).toContain("\n[taskcluster-tool] is not the worker\n");
});

test("output of a command is not held back until the end of its line", async () => {
  const output = new PassThrough();
  const writer = createLogWriter({ output, colors: colorsFor(output, {}) });
  await writer.write(Buffer.from("name? "));
  expect(String(output.read())).toBe("name? ");
  await writer.write(Buffer.from("x\n[task"));
  expect(String(output.read())).toBe("x\n");
  await writer.write(Buffer.from(" list] 1"));
  expect(String(output.read())).toBe("[task list] 1");
});

test("the output does not depend on how the bytes are split", async () => {
  const line = fc.oneof(
    fc.constantFrom(...workers, "[taskcluster", "[task", "[taskcluster] x", "", "ü ☃"),
    fc.string({ maxLength: 30 }),
  );
  const text = fc.array(line, { maxLength: 8 }).map((lines) => lines.join("\n"));
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.array(fc.nat(200), { maxLength: 10 }),
      fc.boolean(),
      async (whole, cuts, quiet) => {
        const bytes = Buffer.from(whole);
        const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        expect(await write(pieces, { quiet })).toEqual(await write([bytes], { quiet }));
        if (!quiet) expect(await write(pieces)).toBe(bytes.toString());
      },
    ),
  );
});
