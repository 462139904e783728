// Runs real `taskyard` processes from the build, as a user would: reads their output, kills them by id, and checks that
// they leave nothing behind.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { connect, type Client, type Credentials } from "../../src/client/index.ts";
import { prepareCluster } from "./cluster.ts";
import { deprecationsThrow } from "./deprecations.ts";
import { testKey } from "./test-key.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";
import { eventually } from "./until.ts";

export type Variables = Readonly<Record<string, string>>;

export interface ProcessOptions {
  /** Its TASKYARD_HOME, HOME and working directory, so that it does not use files of the user who runs the tests. */
  readonly home: string;
  readonly env?: Variables | undefined;
  /** Makes it process 1 of a PID namespace, as in a container without an init. */
  readonly asProcess1?: boolean;
  /** The ids of its user and group. Default: those of the tests. */
  readonly uid?: number;
}

export interface TaskyardProcess {
  readonly pid: number;
  /** Returns all output so far, standard output first. */
  output(): string;
  /** Waits for output that matches. Rejects with the whole output if the process exits first, or after `ms`. */
  waitForOutput(pattern: RegExp, ms?: number): Promise<RegExpExecArray>;
  /** Stops reading its output: later writes fail with EPIPE. */
  closeOutput(): void;
  /** Reads its output no more, but leaves it open: it fills up. `resumeOutput` reads on. */
  stallOutput(): void;
  resumeOutput(): void;
  /** Sends a signal to this process only. */
  signal(name: NodeJS.Signals): void;
  /** Waits for its exit status, or the signal that ended it. Rejects with the whole output after `ms`. */
  exitStatus(ms?: number): Promise<number | NodeJS.Signals>;
}

const program = resolve("bin/taskyard.js");
/** The start of a command line whose program becomes process 1 of a PID namespace. */
export const asProcess1: readonly string[] = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
// An idle machine needs a tenth of this.
const timeoutMs = 45_000;

/** Registers a cleanup function. They are called in reverse order, by default at the end of the test. */
export type OnCleanup = (cleanup: () => Promise<void>) => void;

/** Creates a home folder. At the end, processes that still belong to it are killed, and the test fails. */
export async function temporaryHome(onCleanup: OnCleanup = onTestFinished): Promise<string> {
  const home = await makeTemporaryFolder();
  onCleanup(async () => {
    try {
      await expectNoProcesses(home);
    } finally {
      killAll(processesOf(home).map(({ pid }) => pid));
      await rm(home, { recursive: true, force: true, maxRetries: 10 });
    }
  });
  return home;
}

/** Creates a home folder with a migrated cluster, for tests that are not about the first start. */
export async function preparedHome(onCleanup?: OnCleanup): Promise<string> {
  const home = await temporaryHome(onCleanup);
  await prepareCluster(join(home, "postgres"));
  return home;
}

/** Starts `taskyard ARGS…`. It is killed if it still runs at the end. */
export function startTaskyard(
  args: readonly string[],
  { home, env = {}, ...options }: ProcessOptions,
  onCleanup: OnCleanup = onTestFinished,
): TaskyardProcess {
  if (!existsSync("dist/taskyard.js")) throw new Error("dist has no build: run `npm run build`");
  const [file = "", ...words] = options.asProcess1
    ? [...asProcess1, resolve("bin/taskyard"), ...args]
    : [process.execPath, ...deprecationsThrow, program, ...args];
  const child = spawn(file, words, {
    cwd: home,
    env: { PATH: pathWithNode(), HOME: home, TASKYARD_HOME: home, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
  });
  const written = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  let exit: number | NodeJS.Signals | undefined;
  const notify = (): void => listeners.forEach((listener) => listener());
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      written[name] += text;
      notify();
    });
  }
  // "close" rather than "exit", so that all output has been read. Descendants do not inherit its pipes.
  child.once("close", (code, signal) => {
    exit = code ?? signal ?? "SIGKILL";
    notify();
  });
  const output = (): string => written.stdout + written.stderr;

  /** Settles with the first result of `check`, which is called after each output and at the exit. */
  function until<T>(what: string, ms: number, check: () => T | Error | undefined): Promise<T> {
    return new Promise((resolvePromise, reject) => {
      const listener = (): void => {
        const result = check();
        if (result === undefined) return;
        listeners.delete(listener);
        clearTimeout(timer);
        if (result instanceof Error) reject(result);
        else resolvePromise(result);
      };
      const timer = setTimeout(() => {
        listeners.delete(listener);
        reject(new Error(`taskyard ${args.join(" ")} ${what} within ${ms} ms:\n${output()}`));
      }, ms);
      listeners.add(listener);
      listener();
    });
  }

  const started: TaskyardProcess = {
    pid: child.pid ?? 0,
    output,
    waitForOutput: (pattern, ms = timeoutMs) =>
      until(`did not print ${String(pattern)}`, ms, () => {
        const match = pattern.exec(written.stdout) ?? pattern.exec(written.stderr);
        if (match !== null || exit === undefined) return match ?? undefined;
        return new Error(
          `taskyard ${args.join(" ")} exited (${exit}) without ${String(pattern)}:\n${output()}`,
        );
      }),
    signal: (name) => {
      if (options.asProcess1) process.kill(onlyChildOf(started.pid), name);
      else child.kill(name);
    },
    closeOutput() {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    stallOutput() {
      child.stdout.pause();
      child.stderr.pause();
    },
    resumeOutput() {
      child.stdout.resume();
      child.stderr.resume();
    },
    exitStatus: (ms = timeoutMs) => until("did not exit", ms, () => exit),
  };
  onCleanup(async () => {
    if (exit === undefined) child.kill("SIGKILL");
    await started.exitStatus();
  });
  return started;
}

/** Returns a PATH with the Node that runs the tests. */
const pathWithNode = (): string => `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`;

/** Returns the id of the only child of a process. */
export const onlyChildOf = (pid: number): number => Number(readOf(pid, `task/${pid}/children`));

export interface ServerProcess extends TaskyardProcess {
  readonly rootUrl: string;
  readonly credentials: Credentials;
  /** A client with root credentials, without retries, so that a test gets the first reply. */
  readonly client: Client;
}

/** Starts `taskyard up` on a free port, by default without a worker, and waits until it is ready. */
export async function startUp(
  options: ProcessOptions,
  args: readonly string[] = ["--no-worker"],
  onCleanup?: OnCleanup,
): Promise<ServerProcess> {
  const started = startTaskyard(["up", "--port", "0", ...args], options, onCleanup);
  const [, rootUrl = ""] = await started.waitForOutput(/is ready at (http\S+)/);
  const file: unknown = JSON.parse(await readFile(join(options.home, "server.json"), "utf8"));
  // Written by the server before it reported that it is ready.
  const { accessToken } = file as { accessToken: string };
  return asServer(started, rootUrl, { clientId: "static/taskcluster/root", accessToken });
}

/** Starts `taskyard serve` on a free port with this database, and waits until it is ready. */
export async function startServe(
  databaseUrl: string,
  more: Variables = {},
  onCleanup?: OnCleanup,
): Promise<ServerProcess> {
  const accessToken = "test-root-token-0123456789";
  const env = {
    DATABASE_URL: databaseUrl,
    TASKYARD_AUTH_ROOT_ACCESS_TOKEN: accessToken,
    TASKYARD_AUTH_SECRET: "test-secret-0123456789-0123456789",
    ...("TASKYARD_ENCRYPTION_KEY_FILE" in more ? {} : { TASKYARD_ENCRYPTION_KEYS: testKey }),
    ...more,
  };
  const home = await temporaryHome(onCleanup);
  const started = startTaskyard(["serve", "--port", "0"], { home, env }, onCleanup);
  const [, rootUrl = ""] = await started.waitForOutput(
    /ready at (http\S+) \(listening on 127\.0\.0\.1:\d+\)/,
  );
  return asServer(started, rootUrl, { clientId: "static/taskcluster/root", accessToken });
}

function asServer(started: TaskyardProcess, rootUrl: string, credentials: Credentials): ServerProcess {
  return { ...started, rootUrl, credentials, client: connect({ rootUrl, credentials, retries: 0 }) };
}

/** Kills processes in order. Ignores those that have already ended. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    // Zero and negative numbers address process groups, including our own.
    if (!(pid > 1)) throw new Error(`${pid} is not the id of a process to kill`);
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

/** Waits until no process of a home folder is alive. Rejects with a list of them after twenty seconds. */
async function expectNoProcesses(home: string): Promise<void> {
  await eventually(() => {
    const alive = processesOf(home).map(({ pid, commandLine }) => `${pid} ${commandLine}`);
    if (alive.length > 0) throw new Error(`processes of ${home} are alive:\n${alive.join("\n")}`);
  });
}

export interface LivingProcess {
  readonly pid: number;
  readonly commandLine: string;
}

/**
 * Returns the living processes of a home folder: those with the folder in their command line, environment or working
 * directory, and their descendants. This includes orphans, which are not descendants of the server.
 */
export function processesOf(home: string): LivingProcess[] {
  const all = livingProcesses();
  const found = new Set(all.filter(({ pid, commandLine }) => mentions(home, pid, commandLine)));
  for (const { pid } of found) for (const child of all) if (child.parent === pid) found.add(child);
  return [...found];
}

function mentions(home: string, pid: number, commandLine: string): boolean {
  return (
    commandLine.includes(home) ||
    readOf(pid, "environ").includes(home) ||
    orEmpty(() => readlinkSync(`/proc/${pid}/cwd`)).startsWith(home)
  );
}

function livingProcesses(): (LivingProcess & { readonly parent: number })[] {
  // Only Linux has this. Elsewhere tests for remaining processes have no effect.
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const pid = Number(name);
      // The name in parentheses may contain any character. Zombies count as dead.
      const [state = "", parent] = readOf(pid, "stat")
        .replace(/^.*\) /s, "")
        .split(" ");
      if (["", "Z", "X"].includes(state)) return [];
      return [
        { pid, parent: Number(parent), commandLine: readOf(pid, "cmdline").replaceAll("\0", " ").trim() },
      ];
    });
}

const readOf = (pid: number, file: string): string =>
  orEmpty(() => readFileSync(`/proc/${pid}/${file}`, "latin1"));

/** Returns the result, or an empty string on an error: a process may end during the call. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

/** Returns the process id and URL of the embedded PostgreSQL of a home folder, from its postmaster.pid. */
export function postgresOf(home: string): { readonly pid: number; readonly url: string } {
  const [pid, , , , socket = ""] = readFileSync(join(home, "postgres/data/postmaster.pid"), "utf8").split(
    "\n",
  );
  return { pid: Number(pid), url: `postgres://taskyard@/taskyard?host=${encodeURIComponent(socket)}` };
}
