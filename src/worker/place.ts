// What a worker occupies on its machine before it runs: its folder, and its id in it.
import { systemClock, type Clock } from "../lib/clock.ts";
import type { WorkerSettings } from "../lib/worker-settings.ts";
import { findTaskUser, type TaskUser } from "./engines/native/task-user.ts";
import { lockIdentity, type IdentityLock } from "./identity-lock.ts";
import { openWorkDir, usingWorkDir, type WorkDir } from "./work-dir.ts";
import type { Logger } from "./worker-monitor.ts";

export interface Place {
  /** The user that runs tasks. */
  readonly user: TaskUser;
  readonly workDir: WorkDir;
  readonly identity: IdentityLock;
}

export interface PlaceOptions extends Pick<
  WorkerSettings,
  "taskUser" | "workDir" | "workerGroup" | "workerId"
> {
  readonly clock?: Clock;
  readonly log: Logger;
}

/** Takes the place. Rejects if the folder cannot be used or another worker has the id. Waits for one that is stopping. */
export async function takePlace(options: PlaceOptions): Promise<Place> {
  const { clock = systemClock, workerGroup, workerId, log } = options;
  const onWait = (): void =>
    log.info({ workerGroup, workerId }, "another worker with this id is stopping; waiting for its end");
  const user = await findTaskUser(options.taskUser);
  const workDir = await openWorkDir(options.workDir, user.separate ? user : undefined);
  const identity = await usingWorkDir(workDir.path, () =>
    lockIdentity({ workDir: workDir.path, workerGroup, workerId, clock, onWait }),
  );
  return { user, workDir, identity };
}
