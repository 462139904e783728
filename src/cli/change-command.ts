// Declares commands that change what one id names, such as `taskyard auth client delete ID`.
import type { Client } from "../client/connect.ts";
import { exitStatus } from "./cli-error.ts";
import { command, jsonOption, type Argument, type Command } from "./command.ts";
import { writeJson, writeLine } from "./io.ts";
import { connectTarget } from "./target.ts";

type Change<T> = Omit<Command, "args" | "options" | "run"> & {
  readonly args: readonly [Argument];
  /** Returns the id that the argument means. Throws a `UsageError`, before a request is made. Default: the argument. */
  parse?(word: string | undefined): string;
  /** Makes the change. Resolves to what `--json` prints. */
  change(client: Client, id: string): Promise<T>;
  /** Returns the line for people. */
  done(id: string, reply: T): string;
};

export const changeCommand = <T extends object>({
  parse = (word = "") => word,
  change,
  done,
  ...declared
}: Change<T>): Command =>
  command({
    ...declared,
    options: { json: jsonOption },
    async run({ options, args, io }) {
      const id = parse(args[0]);
      const reply = await change(await connectTarget(io), id);
      if (options.json) writeJson(io.stdout, reply);
      else writeLine(io.stdout, done(id, reply));
      return exitStatus.ok;
    },
  });
