// Patterns of path and query parameters that several methods use.
import { SLUGID_PATTERN } from "../../../lib/slugid.ts";
import { TASK_QUEUE_ID_PATTERN } from "../task.ts";

export const slugid = new RegExp(SLUGID_PATTERN);
// Taskcluster has '[1-9]*' in front, which matches the same but took 0.3 s for 8,000 digits and an x.
export const runId = /^[0-9]+$/;
export const taskQueueId = new RegExp(TASK_QUEUE_ID_PATTERN);
/** A part of the id of a worker or task queue. */
export const identifier = /^[a-zA-Z0-9-_]{1,38}$/;
export const page = { continuationToken: /./, limit: /^[0-9]+$/ } as const;
