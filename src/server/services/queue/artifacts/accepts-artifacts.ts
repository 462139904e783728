// The rule for how long a run accepts artifacts and their content.
import type { Run } from "../../../../api/queue/status.ts";
import type { QueueContext } from "../context.ts";

/** Reports whether artifacts of a run can be created: while it runs, and for some time after it ended in an exception. */
export const acceptsArtifacts = (
  { clock, config }: Pick<QueueContext, "clock" | "config">,
  { state, resolved }: { readonly state: Run["state"]; readonly resolved?: string | undefined },
): boolean =>
  state === "running" ||
  (state === "exception" &&
    resolved !== undefined &&
    Date.parse(resolved) > clock.now() - config.artifactAfterException);

/** States the rule, for messages. */
export const whenAccepted = ({ config }: Pick<QueueContext, "config">): string =>
  `only while it runs, and for ${config.artifactAfterException / 60_000} minutes after it ended in an exception`;
