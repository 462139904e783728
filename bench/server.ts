// A server of the benchmark's own: embedded PostgreSQL, an empty folder, a free port.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Credentials } from "./client.ts";

export interface BenchServer {
  readonly pid: number;
  readonly rootUrl: string;
  readonly credentials: Credentials;
  /** Of its database, for what is measured without the server. */
  readonly databaseUrl: string;
  /** From the start of the process until it told its URL. */
  readonly readyMs: number;
  /** Ends it, and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a built server (`npm run build`); `dir` is where its folder is made, `env` what it is told besides. */
export async function startBenchServer(
  dir = tmpdir(),
  env: Readonly<Record<string, string>> = {},
): Promise<BenchServer> {
  const home = mkdtempSync(join(dir, "taskyard-bench-"));
  const bin = new URL("../bin/taskyard.js", import.meta.url).pathname;
  const begun = performance.now();
  const server = spawn(process.execPath, [bin, "up", "--no-worker", "--port", "0", "--home", home], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"], TASKYARD_LOG_LEVEL: "warn", ...env },
  });
  await new Promise<void>((resolve, reject) => {
    server.stdout.once("data", () => resolve());
    server.once("exit", (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
  });
  const readyMs = performance.now() - begun;
  const told = JSON.parse(readFileSync(join(home, "server.json"), "utf8")) as Record<string, string>;
  const { rootUrl = "", clientId = "", accessToken = "" } = told;
  const socket = encodeURIComponent(join(home, "postgres", "run"));
  return {
    pid: server.pid ?? 0,
    rootUrl,
    credentials: { clientId, accessToken },
    databaseUrl: `postgres://taskyard@/taskyard?host=${socket}`,
    readyMs,
    async stop() {
      server.kill("SIGTERM");
      await once(server, "exit");
      rmSync(home, { recursive: true, force: true });
    },
  };
}
