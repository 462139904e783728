// Starts a server for the benchmark: embedded PostgreSQL, an empty home folder, a free port.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Credentials } from "./client.ts";

export interface BenchServer {
  readonly pid: number;
  readonly rootUrl: string;
  readonly credentials: Credentials;
  readonly home: string;
  /** URL of its database, for measurements without the server. */
  readonly databaseUrl: string;
  /** Milliseconds from the start of the process until it printed its URL. */
  readonly readyMs: number;
  /** Stops it and removes its folder, unless that was given. */
  stop(): Promise<void>;
}

export interface BenchServerOptions {
  /** The built tree to start; default: this one. */
  readonly tree?: string | undefined;
  /** The Node binary that runs it; default: the one that runs this process. */
  readonly node?: string | undefined;
  /** Where its home folder is created; default: the folder for temporary files. */
  readonly dir?: string | undefined;
  /** The home folder of a server that was stopped, to start it again. */
  readonly home?: string | undefined;
  /** Further environment variables. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startBenchServer(options: BenchServerOptions = {}): Promise<BenchServer> {
  const { tree = join(import.meta.dirname, ".."), node = process.execPath, dir = tmpdir(), env } = options;
  if (!existsSync(join(tree, "dist")))
    throw new Error(`${resolve(tree)} is not built: run \`npm run build\` there`);
  const home = options.home ?? mkdtempSync(join(dir, "taskyard-bench-"));
  const bin = join(tree, "bin", "taskyard.js");
  const start = performance.now();
  const server = spawn(node, [bin, "up", "--no-worker", "--port", "0", "--home", home], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], TASKYARD_LOG_LEVEL: "warn", ...env },
  });
  await new Promise<void>((ready, reject) => {
    server.stdout.once("data", () => ready());
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`the server exited with ${code} before it was ready`)));
  });
  const readyMs = performance.now() - start;
  const instance = JSON.parse(readFileSync(join(home, "server.json"), "utf8")) as Record<string, string>;
  const { rootUrl = "", clientId = "", accessToken = "" } = instance;
  const socket = encodeURIComponent(join(home, "postgres", "run"));
  return {
    pid: server.pid ?? 0,
    home,
    rootUrl,
    credentials: { clientId, accessToken },
    databaseUrl: `postgres://taskyard@/taskyard?host=${socket}`,
    readyMs,
    async stop() {
      server.kill("SIGTERM");
      await once(server, "exit");
      if (options.home === undefined) rmSync(home, { recursive: true, force: true });
    },
  };
}
