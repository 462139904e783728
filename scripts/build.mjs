// Builds `dist` from `src`: JavaScript and types by tsc, the SQL files as they are. Plain JavaScript, since it
// runs before anything is built. It is made in a folder beside and swapped in at the end: processes that run
// from `dist` meanwhile, and a build that fails, find the old one whole.
import { spawnSync } from "node:child_process";
import { chmod, copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => path.join(root, ...parts);
const began = performance.now();

// Beside `dist`, not elsewhere: the source maps' relative paths hold after the move.
const fresh = at(`dist.${process.pid}.new`);
const old = at(`dist.${process.pid}.old`);

try {
  compile();
  const sqlFiles = await copySql();
  await chmod(at("bin", "taskyard.js"), 0o755);
  await rename(at("dist"), old).catch((err) => {
    if (err.code !== "ENOENT") throw err;
  });
  await rename(fresh, at("dist"));
  console.log(`built dist in ${((performance.now() - began) / 1000).toFixed(1)} s (${sqlFiles} SQL files)`);
} catch (err) {
  console.error(`build failed, dist is as it was: ${err.message}`);
  process.exitCode = 1;
} finally {
  await rm(fresh, { recursive: true, force: true });
  await rm(old, { recursive: true, force: true });
}

function compile() {
  const tsc = at("node_modules", "typescript", "bin", "tsc");
  const args = [tsc, "-p", at("tsconfig.build.json"), "--outDir", fresh];
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error("tsc found the errors above");
}

async function copySql() {
  const files = await readdir(at("src"), { recursive: true });
  const sql = files.filter((file) => file.endsWith(".sql"));
  // A server without its migrations would start, and fail at the first request.
  if (sql.length === 0) throw new Error("no SQL files found below src");
  for (const file of sql) {
    await mkdir(path.join(fresh, path.dirname(file)), { recursive: true });
    await copyFile(at("src", file), path.join(fresh, file));
  }
  return sql.length;
}
