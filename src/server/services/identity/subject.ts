// The subject of a token, which policies of other systems compare with a pattern or exactly.
import { ApiError } from "../../../lib/errors.ts";
import type { RunningTask } from "../queue/index.ts";

/** OpenID Connect allows no longer ones. */
const MAX_LENGTH = 255;

type Named = Pick<RunningTask, "projectId" | "schedulerId" | "taskQueueId">;

/**
 * Returns `project:<projectId>:scheduler:<schedulerId>:queue:<taskQueueId>`. Different values have different subjects: in a
 * value, all characters are percent-encoded except for those of URIs without a special meaning, and slashes.
 *
 * It contains what a creator of tasks needs a scope for, and nothing that differs between runs, since some systems compare it
 * only exactly.
 */
export function subjectOf({ projectId, schedulerId, taskQueueId }: Named): string {
  const subject = `project:${encoded(projectId)}:scheduler:${encoded(schedulerId)}:queue:${encoded(taskQueueId)}`;
  if (subject.length > MAX_LENGTH)
    throw new ApiError(
      "InputError",
      `The subject of a token has at most ${MAX_LENGTH} characters, and that of this task would have ${subject.length}: create it with a shorter projectId.`,
    );
  return subject;
}

/** `encodeURIComponent` leaves the star, which is a wildcard in policies, and other marks. */
const encoded = (value: string): string =>
  encodeURIComponent(value)
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
