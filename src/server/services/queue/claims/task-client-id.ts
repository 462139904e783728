// The client id of a task's credentials, which names its run. Only the queue issues credentials with such ids to tasks.
import { SLUGID_PATTERN } from "../../../../lib/slugid.ts";

export interface TaskClient {
  readonly taskId: string;
  readonly runId: number;
  readonly workerGroup: string;
  readonly workerId: string;
}

/** Returns the client id for the credentials of a run that end at `until`, in milliseconds. */
export const taskClientId = ({ taskId, runId, workerGroup, workerId }: TaskClient, until: number): string =>
  `task-client/${taskId}/${runId}/on/${workerGroup}/${workerId}/until/${until / 1000}`;

const slugid = SLUGID_PATTERN.slice(1, -1);
const pattern = new RegExp(
  `^task-client/(${slugid})/([0-9]{1,3})/on/([A-Za-z0-9_-]{1,38})/([A-Za-z0-9_-]{1,38})/until/[0-9.]+$`,
);

/** Returns what the client id of a task names, or undefined for other ids. Does not show who issued the credentials. */
export function parseTaskClientId(clientId: string): TaskClient | undefined {
  const [, taskId, runId, workerGroup, workerId] = pattern.exec(clientId) ?? [];
  if (taskId === undefined || workerGroup === undefined || workerId === undefined) return undefined;
  return { taskId, runId: Number(runId), workerGroup, workerId };
}
