// The scopes that creating tasks requires: of one task, and of many tasks together.
import { allOf, anyOf, forEach } from "../../lib/scopes/template.ts";

const queue = "<provisionerId>/<workerType>";

/** The scope for each member of one definition. */
export const createTaskScope = {
  route: "queue:route:<route>",
  project: "queue:create-task:project:<projectId>",
  scheduler: "queue:scheduler-id:<schedulerId>",
  /** One suffices, of the task's priority or of a higher one. */
  queue: `queue:create-task:<priority>:${queue}`,
} as const;
const { route, project, scheduler } = createTaskScope;

export const createTaskScopes = allOf(
  forEach("scope", "scopes", "<scope>"),
  forEach("route", "routes", route),
  project,
  scheduler,
  anyOf(forEach("priority", "priorities", createTaskScope.queue)),
);

/** Each of `queues` is written `<priority>:<provisionerId>/<workerType>`. */
export const createTasksScopes = allOf(
  forEach("scope", "scopes", "<scope>"),
  forEach("route", "routes", route),
  forEach("projectId", "projectIds", project),
  forEach("schedulerId", "schedulerIds", scheduler),
  forEach("queue", "queues", "queue:create-task:<queue>"),
);
