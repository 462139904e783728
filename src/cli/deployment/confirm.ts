// Asks a person on a terminal before changes.
import { createInterface } from "node:readline";
import type { Io } from "../io.ts";

/** Resolves to whether the answer is yes. The end of the input counts as no. */
export async function confirm(
  question: string,
  { stdin, stderr }: Pick<Io, "stdin" | "stderr">,
): Promise<boolean> {
  stderr.write(`${question} [y/N] `);
  const lines = createInterface({ input: stdin });
  try {
    for await (const line of lines) return /^y(es)?$/i.test(line.trim());
    return false;
  } finally {
    lines.close();
  }
}
