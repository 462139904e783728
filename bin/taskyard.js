#!/usr/bin/env node
// Runs the build of the command line. If that cannot be loaded, says what is missing.
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(dirname(fileURLToPath(import.meta.url)));

// The command `taskyard` has done this already. Node 20 cannot replace itself: the command line then warns.
if (process.pid === 1 && process.execve !== undefined && existsSync("/bin/sh")) {
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  process.execve("/bin/sh", ["sh", `${folder}/bin/process-1.sh`, ...command], process.env);
}

function whatIsMissing(error) {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  if (existsSync(`${folder}/dist/taskyard.js`))
    return `a package that Taskyard needs is not installed (${error.message}): run \`npm ci\``;
  const install = existsSync(`${folder}/node_modules`) ? "" : "npm ci && ";
  return `Taskyard is not built yet: run \`${install}npm run build\``;
}

try {
  const { main } = await import("../dist/taskyard.js");
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`error: ${whatIsMissing(error)} in ${folder}\n`);
  process.exitCode = 1;
}
