// Temporary folders for tests.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";

/** Creates a folder that other users may enter, since PostgreSQL may run as one. The caller removes it. */
export async function makeTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "taskyard-test-"));
  await chmod(folder, 0o755);
  return folder;
}

/** Creates such a folder, and removes it at the end of the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await makeTemporaryFolder();
  // Retried: a killed process may have a child that still writes.
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}
