// The native engine: runs a task's commands one after the other as processes of this machine.
import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { promisify } from "node:util";
import Type from "typebox";
import { defineEngine } from "../../engine.ts";
import type { Engine, ResultSet, Sandbox } from "../../engine.ts";
import type { ExitInfo } from "../../exit-info.ts";
import { shellQuote } from "../../../lib/shell-quote.ts";
import { exitBlock } from "../../log-format.ts";
import { checkedPart } from "../../payload-part.ts";
import type { TaskContext } from "../../task-context.ts";
import { childUsage } from "./child-usage.ts";
import type { ChildUsage } from "./child-usage.ts";
import { startCommand } from "./command.ts";
import type { Command } from "./command.ts";
import { fixedEnvironment, inheritedEnvironment, personalEnvironment, runMark } from "./environment.ts";
import { extractFile, extractFolder } from "./extract.ts";
import { openNamespace } from "./namespace.ts";
import type { Namespace } from "./namespace.ts";
import { killRun, possibleSurvivors } from "./process-tree.ts";
import type { TaskUser } from "./task-user.ts";

const execute = promisify(execFile);

const payloadSchema = Type.Object({
  command: Type.Array(Type.Array(Type.String(), { minItems: 1 }), {
    minItems: 1,
    title: "Commands to run",
    description:
      "Each command is a program and its arguments, and runs without a shell. Commands run in order, and the first that fails ends the task.",
  }),
});

const own = checkedPart(payloadSchema);

/** Its part of payloads. */
export const nativePayload = {
  name: "native",
  payloadSchema,
  faults: (payload: unknown) => own(payload).command.flatMap(commandFaults),
};

/** Returns what no process can be started with. */
function commandFaults(words: readonly string[], index: number): string[] {
  const at = `payload.command[${index}]`;
  if (words[0] === "") return [`${at}[0] is empty; it must be the name of a program`];
  const wrong = words.findIndex((word) => word.includes("\0"));
  return wrong === -1
    ? []
    : [`${at}[${wrong}] has a NUL character, which cannot be passed to a program: remove it`];
}

export interface NativeOptions {
  /** The worker's environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** Names of variables that tasks inherit in addition to the usual ones. */
  readonly variables?: readonly string[];
  readonly user: TaskUser;
  /** True if the machine allows a namespace for the processes of each run. */
  readonly namespaces: boolean;
}

export function nativeEngine({ environment, variables, user, namespaces }: NativeOptions): Engine {
  const usage = childUsage();
  const inherited = inheritedEnvironment(environment, variables);
  return defineEngine({
    ...nativePayload,
    async cleanUp({ taskId, runId }, folders) {
      await killRun({ groups: [], mark: runMark(taskId, runId), folders });
    },
    newSandboxBuilder: (task, { command: commands }) => {
      const requested: Record<string, string> = {};
      return Promise.resolve({
        setEnv(name, value) {
          requested[name] = value;
        },
        async start() {
          await giveTo(user, task.taskDir);
          const namespace = namespaces ? await openNamespace(user) : undefined;
          if (namespaces && namespace === undefined)
            task.monitor.warn("no namespace could be created for the processes of a task");
          const env = {
            ...inherited,
            ...personalEnvironment(task, user),
            ...requested,
            ...fixedEnvironment(task),
          };
          return startSandbox({ task, commands, env, usage, user, namespace });
        },
      });
    },
  });
}

/** Makes the files that plugins have put into the task's folder those of its user. */
async function giveTo({ separate, uid, gid }: TaskUser, folder: string): Promise<void> {
  if (separate && (await readdir(folder)).length > 0)
    await execute("chown", ["-hR", `${uid}:${gid}`, "--", folder]);
}

interface Plan {
  readonly task: TaskContext;
  readonly commands: readonly (readonly string[])[];
  readonly env: Readonly<Record<string, string>>;
  readonly usage: ChildUsage;
  readonly user: TaskUser;
  /** The namespace of the run's processes, where there is one. */
  readonly namespace: Namespace | undefined;
}

// How long to wait for the output that is still in the pipe when all writers have ended. It takes milliseconds.
const lastOutputMs = 1000;

function startSandbox({ task, commands, env, usage, user, namespace }: Plan): Sandbox {
  const { info, log, taskDir, controlDir } = task;
  const mark = runMark(info.taskId, info.runId);
  const groups = new Set<number>();
  const started: Command[] = [];
  let since: number | undefined;
  /** Aborts when the commands must end. */
  const ending = new AbortController();
  /** The reason why their result is discarded, if it is. */
  let abortReason: Error | undefined;
  let abandonExit: (exit: ExitInfo) => void = () => undefined;

  async function runOne(argv: readonly string[], index: number): Promise<ExitInfo> {
    log.info(`Executing command ${index}: ${shellQuote(...argv)}`);
    const { signal } = ending;
    const command = await startCommand({
      argv,
      cwd: taskDir,
      env,
      user,
      enter: namespace?.enter,
      output: log.raw,
      controlDir,
      usage,
      signal,
    });
    started.push(command);
    if (command.group !== undefined) groups.add(command.group);
    since ??= command.startTicks;
    const startedAt = performance.now();
    const exit = await Promise.race([
      command.exit,
      // Resolved when a kill had no effect: a process that hangs in the kernel must not block the worker.
      new Promise<ExitInfo>((resolve) => (abandonExit = resolve)),
    ]);
    if (command.group !== undefined && !hasMembers(command.group)) groups.delete(command.group);
    if (!signal.aborted) return exit;
    return { outcome: "aborted", code: null, signal: null, wallMs: performance.now() - startedAt };
  }

  async function endAll(): Promise<void> {
    const survivors =
      namespace === undefined
        ? await killRun({ groups: [...groups], mark, since, folders: [taskDir, controlDir] })
        : await namespace.end();
    if (survivors.length > 0) {
      task.monitor.warn("processes of a task could not be killed", { pids: survivors });
      log.warn(`Processes that could not be killed: ${survivors.join(", ")}`);
      abandonExit({ outcome: "aborted", code: null, signal: "SIGKILL", wallMs: 0 });
    }
    if (namespace !== undefined || since === undefined) return;
    const left = possibleSurvivors(user.uid, since);
    if (left.length === 0) return;
    task.monitor.warn("processes that started during a task may be left from it", { pids: left });
    log.warn(
      `Processes that may be left from this task (they started during it, and have lost their parent): ${left.join(", ")}`,
    );
  }

  async function run(): Promise<ResultSet> {
    const exits: ExitInfo[] = [];
    for (const [index, argv] of commands.entries()) {
      if (ending.signal.aborted) break;
      const exit = await runOne(argv, index);
      exits.push(exit);
      log.info(exitBlock(exit));
      if (exit.outcome !== "succeeded") break;
    }
    // Background processes could still change the files that are about to be saved.
    await endAll();
    const timeout = setTimeout(() => started.forEach((command) => command.abandon()), lastOutputMs);
    await Promise.all(started.map((command) => command.outputEnd));
    clearTimeout(timeout);
    if (abortReason !== undefined) throw abortReason;
    const success = !ending.signal.aborted && exits.every((exit) => exit.outcome === "succeeded");
    return {
      exits,
      success,
      extractFile: (path) => extractFile(taskDir, path),
      extractFolder: (path) => extractFolder(taskDir, path),
    };
  }

  const result = run();
  const settled = result.then(
    () => undefined,
    () => undefined,
  );
  async function end(): Promise<void> {
    ending.abort();
    await endAll();
    await settled;
  }
  return {
    result,
    kill: end,
    abort(error) {
      abortReason ??= error;
      return end();
    },
  };
}

function hasMembers(group: number): boolean {
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}
