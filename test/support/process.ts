// Real `taskyard` processes, started from the build as a user would: watched through what they say, ended by their id,
// and held to leave nothing behind.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { connect, type Client, type Credentials } from "../../src/client/index.ts";
import { prepareCluster } from "./cluster.ts";
import { makeTemporaryFolder } from "./temporary-folder.ts";
import { eventually } from "./until.ts";

export type Variables = Readonly<Record<string, string>>;

export interface ProcessOptions {
  /** Its TASKYARD_HOME, HOME and working directory: it sees nothing of whoever runs the tests. */
  readonly home: string;
  readonly env?: Variables | undefined;
}

export interface TaskyardProcess {
  readonly pid: number;
  /** Everything that it wrote so far, standard output first. */
  output(): string;
  /** Waits for text in its output; rejects, with the whole output, where it ends before or `ms` pass. */
  says(pattern: RegExp, ms?: number): Promise<RegExpExecArray>;
  /** Sends a signal to this process alone. */
  signal(name: NodeJS.Signals): void;
  /** Resolves to its exit status, or the signal that ended it; rejects, with the whole output, after `ms`. */
  ended(ms?: number): Promise<number | NodeJS.Signals>;
}

const program = resolve("bin/taskyard.js");
// On a quiet machine things take a tenth of this. Whoever waits this long waits for what never comes.
const patienceMs = 45_000;

/** Registers what ends a thing; it is called in reverse order. The default is the end of the test. */
export type WhenOver = (end: () => Promise<void>) => void;

/** A new home folder. In the end no process may be left of it: those that are get killed, and the test fails. */
export async function temporaryHome(whenOver: WhenOver = onTestFinished): Promise<string> {
  const home = await makeTemporaryFolder();
  whenOver(async () => {
    try {
      await nothingLeftOf(home);
    } finally {
      killAll(processesOf(home).map(({ pid }) => pid));
      await rm(home, { recursive: true, force: true, maxRetries: 10 });
    }
  });
  return home;
}

/** The same with a migrated cluster in it, for tests that are not about the first start. */
export async function preparedHome(whenOver?: WhenOver): Promise<string> {
  const home = await temporaryHome(whenOver);
  await prepareCluster(join(home, "postgres"));
  return home;
}

/** Starts `taskyard ARGS…`. Where it still runs in the end, it is killed. */
export function startTaskyard(
  args: readonly string[],
  { home, env = {} }: ProcessOptions,
  whenOver: WhenOver = onTestFinished,
): TaskyardProcess {
  if (!existsSync("dist/cli/main.js")) throw new Error("there is no build in dist: `npm run build` makes it");
  const child = spawn(process.execPath, [program, ...args], {
    cwd: home,
    env: { PATH: process.env["PATH"] ?? "", HOME: home, TASKYARD_HOME: home, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  let end: number | NodeJS.Signals | undefined;
  const heard = (): void => listeners.forEach((listener) => listener());
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
      heard();
    });
  }
  // "close" and not "exit", so that its last words were read; what it leaves behind does not hold its pipes.
  child.once("close", (code, signal) => {
    end = code ?? signal ?? "SIGKILL";
    heard();
  });
  const output = (): string => said.stdout + said.stderr;

  /** Settles as soon as `look` finds something, which it is asked with each output and at the end. */
  function until<T>(what: string, ms: number, look: () => T | Error | undefined): Promise<T> {
    return new Promise((found, fail) => {
      const check = (): void => {
        const result = look();
        if (result === undefined) return;
        listeners.delete(check);
        clearTimeout(timer);
        if (result instanceof Error) fail(result);
        else found(result);
      };
      const timer = setTimeout(() => {
        listeners.delete(check);
        fail(new Error(`taskyard ${args.join(" ")} ${what} within ${ms} ms:\n${output()}`));
      }, ms);
      listeners.add(check);
      check();
    });
  }

  const started: TaskyardProcess = {
    pid: child.pid ?? 0,
    output,
    says: (pattern, ms = patienceMs) =>
      until(`did not say ${String(pattern)}`, ms, () => {
        const match = pattern.exec(said.stdout) ?? pattern.exec(said.stderr);
        if (match !== null || end === undefined) return match ?? undefined;
        return new Error(
          `taskyard ${args.join(" ")} ended (${end}) without ${String(pattern)}:\n${output()}`,
        );
      }),
    signal: (name) => void child.kill(name),
    ended: (ms = patienceMs) => until("did not end", ms, () => end),
  };
  whenOver(async () => {
    if (end === undefined) child.kill("SIGKILL");
    await started.ended();
  });
  return started;
}

export interface ServerProcess extends TaskyardProcess {
  readonly rootUrl: string;
  readonly credentials: Credentials;
  /** Calls as the root client, without retries: a test wants to see the first answer. */
  readonly client: Client;
}

/** Starts `taskyard up` on a free port, without a worker unless `args` say otherwise; resolves when it is ready. */
export async function startUp(
  options: ProcessOptions,
  args: readonly string[] = ["--no-worker"],
  whenOver?: WhenOver,
): Promise<ServerProcess> {
  const started = startTaskyard(["up", "--port", "0", ...args], options, whenOver);
  const [, rootUrl = ""] = await started.says(/is ready at (http\S+)/);
  const file: unknown = JSON.parse(await readFile(join(options.home, "server.json"), "utf8"));
  // Written by the server that has just said that it is ready.
  const { accessToken } = file as { accessToken: string };
  return asServer(started, rootUrl, { clientId: "static/taskcluster/root", accessToken });
}

/** Starts `taskyard serve` on a free port and a database of the test's; resolves when it is ready. */
export async function startServe(
  databaseUrl: string,
  more: Variables = {},
  whenOver?: WhenOver,
): Promise<ServerProcess> {
  const accessToken = "test-root-token-0123456789";
  const env = {
    DATABASE_URL: databaseUrl,
    TASKYARD_AUTH_ROOT_ACCESS_TOKEN: accessToken,
    TASKYARD_AUTH_SECRET: "test-secret-0123456789-0123456789",
    ...more,
  };
  const home = await temporaryHome(whenOver);
  const started = startTaskyard(["serve", "--port", "0"], { home, env }, whenOver);
  const [, rootUrl = ""] = await started.says(/ready at (http\S+)/);
  return asServer(started, rootUrl, { clientId: "static/taskcluster/root", accessToken });
}

function asServer(started: TaskyardProcess, rootUrl: string, credentials: Credentials): ServerProcess {
  return { ...started, rootUrl, credentials, client: connect({ rootUrl, credentials, retries: 0 }) };
}

/** Kills processes, in this order; one that is gone by then is fine. */
export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    // Zero and below stand for groups: ours among them.
    if (!(pid > 1)) throw new Error(`${pid} is not the id of a process to kill`);
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

/** Resolves when no process that belongs to `home` is alive; rejects, naming them, after a while. */
async function nothingLeftOf(home: string): Promise<void> {
  await eventually(() => {
    const left = processesOf(home).map(({ pid, words }) => `${pid} ${words}`);
    if (left.length > 0) throw new Error(`processes of ${home} are alive:\n${left.join("\n")}`);
  });
}

export interface LivingProcess {
  readonly pid: number;
  /** Its command line. */
  readonly words: string;
}

/**
 * The living processes that belong to a home folder: it stands in their command line, environment or working directory,
 * or they descend from one of these. So orphans are found too, which a walk down from the server would miss.
 */
export function processesOf(home: string): LivingProcess[] {
  const all = livingProcesses();
  const found = new Set(all.filter(({ pid, words }) => mentions(home, pid, words)));
  for (const { pid } of found) for (const child of all) if (child.parent === pid) found.add(child);
  return [...found];
}

function mentions(home: string, pid: number, words: string): boolean {
  return (
    words.includes(home) ||
    readOf(pid, "environ").includes(home) ||
    orEmpty(() => readlinkSync(`/proc/${pid}/cwd`)).startsWith(home)
  );
}

function livingProcesses(): (LivingProcess & { readonly parent: number })[] {
  // Only Linux lets one look. Elsewhere tests of what is left behind have nothing to say.
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const pid = Number(name);
      // The name in parentheses may hold anything; what follows is regular. Zombies are dead.
      const [state = "", parent] = readOf(pid, "stat")
        .replace(/^.*\) /s, "")
        .split(" ");
      if (["", "Z", "X"].includes(state)) return [];
      return [{ pid, parent: Number(parent), words: readOf(pid, "cmdline").replaceAll("\0", " ").trim() }];
    });
}

const readOf = (pid: number, file: string): string =>
  orEmpty(() => readFileSync(`/proc/${pid}/${file}`, "latin1"));

/** Processes come and go while one looks at them. */
function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

/** Id of the embedded PostgreSQL of a home folder, and how to reach it, from the file that it keeps about itself. */
export function postgresOf(home: string): { readonly pid: number; readonly url: string } {
  const [pid, , , , socket = ""] = readFileSync(join(home, "postgres/data/postmaster.pid"), "utf8").split(
    "\n",
  );
  return { pid: Number(pid), url: `postgres://taskyard@/taskyard?host=${encodeURIComponent(socket)}` };
}
