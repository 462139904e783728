// Folders that a test may fill and that are gone afterwards.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";

/** A new folder that others may enter: PostgreSQL may run as another user. Whoever calls this removes it. */
export async function makeTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "taskyard-test-"));
  await chmod(folder, 0o755);
  return folder;
}

/** The same, removed at the end of the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await makeTemporaryFolder();
  // A process that was killed may have a child that still writes.
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}
