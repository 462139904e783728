// The scopes that createTask and createTasks require.
import { allOf, anyOf, forEach } from "../../lib/scopes/template.ts";

const queue = "<provisionerId>/<workerType>";

/** The scopes that the members of a task definition require. */
export const createTaskScope = {
  route: "queue:route:<route>",
  project: "queue:create-task:project:<projectId>",
  scheduler: "queue:scheduler-id:<schedulerId>",
  /** Required for the task's priority or a higher one. */
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

/** Each element of `queues` has the form `<priority>:<provisionerId>/<workerType>`. */
export const createTasksScopes = allOf(
  forEach("scope", "scopes", "<scope>"),
  forEach("route", "routes", route),
  forEach("projectId", "projectIds", project),
  forEach("schedulerId", "schedulerIds", scheduler),
  forEach("queue", "queues", "queue:create-task:<queue>"),
);
