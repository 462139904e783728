// How the parameters of the queue's scopes follow from requests, where they are not simply members of these.
import type { taskEndpoints } from "../../../api/queue/endpoints/tasks.ts";
import type { queueApi } from "../../../api/queue/index.ts";
import type { ScopeParamsByMethod, ScopeRequest } from "../../core/scope-params.ts";
import { completeRequest } from "./tasks/complete-request.ts";
import { scopeParams as ofTask, scopeParamsOfAll } from "./tasks/task-scopes.ts";
import { declaredProperties } from "./workers/task-queues.ts";

type Methods = ScopeParamsByMethod<(typeof queueApi)["endpoints"]>;

const ofNewTask = ({
  params,
  body,
}: Pick<ScopeRequest<typeof taskEndpoints.createTask>, "params" | "body">) =>
  ofTask(completeRequest(params.taskId, body));
const ofArtifact = ({ params }: { readonly params: { readonly name: string } }) => ({ names: [params.name] });

export const scopeParams: Methods = {
  createTask: ofNewTask,
  defineTask: ofNewTask,
  createTasks: ({ body, held }) =>
    scopeParamsOfAll(
      body.tasks.map(({ taskId, task }) => completeRequest(taskId, task)),
      held,
    ),
  listTasks: ({ query }) => ({ projectId: query.projectId ?? "*" }),
  listTaskGroups: ({ query }) => ({ schedulerId: query.schedulerId ?? "*" }),
  declareProvisioner: ({ body }) => ({ properties: declaredProperties(body) }),
  declareWorkerType: ({ body }) => ({ properties: declaredProperties(body) }),
  declareWorker: ({ body }) => ({ properties: Object.keys(body) }),
  getArtifact: ofArtifact,
  getLatestArtifact: ofArtifact,
  artifact: ofArtifact,
  latestArtifact: ofArtifact,
};
