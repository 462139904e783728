// A shell in which the blocks of a document run one after the other, as a reader would type them.
import { spawn, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";

export interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export interface ShellSession {
  /** Runs a script in the shell, whose folder and variables it may change, and waits for its exit status. */
  run(script: string): Promise<Ran>;
  /** Starts a script that runs until the session ends, in a subshell. Returns its output so far. */
  start(script: string): Promise<() => Promise<string>>;
  /** Ends the shell and what it started. */
  end(): Promise<void>;
}

// Scripts are sourced. Their output goes to files: a process that a script leaves in the background holds no pipe open.
const loop = `
while read -r mode script <&3; do
  case $mode in
    run) . "$script" >"$script.out" 2>"$script.err" 3<&- 4>&- ; echo $? >&4 ;;
    start) (. "$script") >"$script.out" 2>"$script.err" 3<&- 4>&- & echo 0 >&4 ;;
  esac
done`;

/** Starts a POSIX shell. `scratch` is a folder for its scripts and their output. */
export function startShell(options: {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly scratch: string;
}): ShellSession {
  const { cwd, env, scratch } = options;
  const stdio: StdioOptions = ["ignore", "ignore", "inherit", "pipe", "pipe"];
  // A process group of its own, so that all of it can be ended.
  const shell = spawn("sh", ["-c", loop], { cwd, env, stdio, detached: true });
  const exited = once(shell, "exit").then(([code]) => Number(code ?? 1));
  const [orders, statuses] = [shell.stdio[3] as Writable, shell.stdio[4] as NodeJS.ReadableStream];
  const lines = createInterface({ input: statuses })[Symbol.asyncIterator]();
  let count = 0;

  async function send(mode: "run" | "start", script: string): Promise<{ file: string; status: number }> {
    count += 1;
    const file = path.join(scratch, `script-${count}`);
    // Ends the shell at the first command that fails, which closes the stream of statuses.
    await writeFile(file, `set -e\n${script}`);
    orders.write(`${mode} ${file}\n`);
    const reply = await lines.next();
    return { file, status: reply.done === true ? await exited : Number(reply.value) };
  }

  return {
    async run(script) {
      const { file, status } = await send("run", script);
      return {
        status,
        out: await readFile(`${file}.out`, "utf8"),
        err: await readFile(`${file}.err`, "utf8"),
      };
    },
    async start(script) {
      const { file } = await send("start", script);
      // Services log to standard error.
      return async () => (await readFile(`${file}.out`, "utf8")) + (await readFile(`${file}.err`, "utf8"));
    },
    async end() {
      try {
        process.kill(-(shell.pid ?? 0), "SIGTERM");
      } catch {
        // It has ended already.
      }
      await exited;
    },
  };
}
