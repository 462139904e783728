// Builds `dist` from `src`: tsc compiles the TypeScript, SQL files are copied. With `--declarations`, also writes the type
// declarations that a package needs. They take three of four seconds, and nothing here reads them. Written in plain
// JavaScript because it runs before anything is built. The output goes to a sibling folder that replaces `dist` at the end,
// so processes running from `dist` are not disturbed and a failed build leaves the old `dist` intact.
import { spawnSync } from "node:child_process";
import { chmod, copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => path.join(root, ...parts);
const start = performance.now();

// A sibling of `dist`, so that the relative paths in source maps stay valid after the rename.
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
  console.log(`built dist in ${((performance.now() - start) / 1000).toFixed(1)} s (${sqlFiles} SQL files)`);
} catch (err) {
  console.error(`build failed, dist is unchanged: ${err.message}`);
  process.exitCode = 1;
} finally {
  await rm(fresh, { recursive: true, force: true });
  await rm(old, { recursive: true, force: true });
}

function compile() {
  const tsc = at("node_modules", "typescript", "bin", "tsc");
  const declaration = String(process.argv.includes("--declarations"));
  const args = [tsc, "-p", at("tsconfig.build.json"), "--outDir", fresh, "--declaration", declaration];
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) throw new Error("tsc reported the errors above");
}

async function copySql() {
  const files = await readdir(at("src"), { recursive: true });
  const sql = files.filter((file) => file.endsWith(".sql"));
  // Without its migrations a server would start and then fail at the first request.
  if (sql.length === 0) throw new Error("no SQL files found in src");
  for (const file of sql) {
    await mkdir(path.join(fresh, path.dirname(file)), { recursive: true });
    await copyFile(at("src", file), path.join(fresh, file));
  }
  return sql.length;
}
