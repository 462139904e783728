// Methods that find earlier tasks and groups, which Taskcluster does not have.
import { endpoint } from "../../endpoint.ts";
import { listedTaskGroupsFile, listedTasksFile } from "../history.ts";
import { TASK_STATES } from "../status.ts";
import { identifier, page, taskQueueId } from "./params.ts";

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const state = `(${TASK_STATES.join("|")})`;
/** What both lists can be filtered by. */
const common = { ...page, name: /^.{1,255}$/su, since: time, until: time, schedulerId: identifier } as const;

const filters =
  "`since` (inclusive) and `until` (exclusive) limit the time of creation, and `name` is a part of the name in upper or lower case.";
const pages =
  "A call examines a limited number of them: a page may have few elements, or none, and a `continuationToken`.";

export const historyEndpoints = {
  listTasks: endpoint({
    method: "GET",
    path: "/tasks",
    query: {
      ...common,
      state: new RegExp(`^${state}(,${state}){0,${TASK_STATES.length - 1}}$`),
      taskQueueId,
      projectId: /^[a-zA-Z0-9._/-]{1,500}$/,
    },
    name: "listTasks",
    category: "Tasks",
    stability: "experimental",
    title: "List tasks",
    description: `Returns tasks in the order of their creation, newest first, in pages. ${filters} \`state\` is one state, or several with commas between them. ${pages} Without \`projectId\`, the scope \`queue:list-tasks:*\` is required.`,
    scopes: "queue:list-tasks:<projectId>",
    heavy: 1,
    reply: listedTasksFile,
  }),
  listTaskGroups: endpoint({
    method: "GET",
    path: "/task-groups",
    query: { ...common, resolved: /^(true|false)$/ },
    name: "listTaskGroups",
    category: "Task Groups",
    stability: "experimental",
    title: "List task groups",
    description: `Returns task groups in the order of their creation, newest first, in pages. ${filters} \`resolved=true\` lists only the groups whose tasks were all resolved, \`resolved=false\` only the others. ${pages} Without \`schedulerId\`, the scope \`queue:list-task-groups:*\` is required.`,
    scopes: "queue:list-task-groups:<schedulerId>",
    heavy: 1,
    reply: listedTaskGroupsFile,
  }),
} as const;
