// Task definitions: as the author writes them, and as the queue stores them.
import Type, { type Static } from "typebox";
import { SLUGID_PATTERN } from "../../lib/slugid.ts";
import { DateTime, exactly, named, oneOfStrings } from "../schema.ts";

/** Priorities, in the order in which tasks are claimed. */
export const PRIORITIES = ["highest", "very-high", "high", "medium", "low", "very-low", "lowest"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What a definition has for members that its author leaves out. */
export const taskDefaults: {
  readonly schedulerId: string;
  readonly projectId: string;
  readonly dependencies: string[];
  readonly requires: "all-completed" | "all-resolved";
  readonly routes: string[];
  readonly priority: Priority;
  readonly retries: number;
  readonly scopes: string[];
  readonly tags: Record<string, string>;
  readonly extra: Record<string, unknown>;
} = {
  schedulerId: "-",
  projectId: "none",
  dependencies: [],
  requires: "all-completed",
  routes: [],
  priority: "lowest",
  retries: 5,
  scopes: [],
  tags: {},
  extra: {},
};

export const TASK_QUEUE_ID_PATTERN = "^[a-zA-Z0-9-_]{1,38}/[a-z]([-a-z0-9]{0,36}[a-z0-9])?$";
const MAX_DEPENDENCIES = 10_000;
/** Comparing more with those of the caller would take a tenth of a second. */
const MAX_SCOPES = 10_000;

export const Slugid = Type.String({ pattern: SLUGID_PATTERN });
export const TaskQueueId = Type.String({ pattern: TASK_QUEUE_ID_PATTERN });
export const ProvisionerId = Type.String({ pattern: "^[a-zA-Z0-9-_]{1,38}$" });
export const WorkerType = Type.String({ pattern: "^[a-z]([-a-z0-9]{0,36}[a-z0-9])?$" });
const SchedulerIdShape = { minLength: 1, maxLength: 38, pattern: "^([a-zA-Z0-9-_]*)$" } as const;
export const SchedulerId = Type.String({ ...SchedulerIdShape, default: taskDefaults.schedulerId });
const ProjectIdShape = { minLength: 1, maxLength: 500, pattern: "^([a-zA-Z0-9._/-]*)$" } as const;
export const ProjectId = Type.String({ ...ProjectIdShape, default: taskDefaults.projectId });
export const PriorityName = oneOfStrings(PRIORITIES, { default: taskDefaults.priority });
export const Tags = Type.Unsafe<Record<string, string>>({
  type: "object",
  additionalProperties: { type: "string", maxLength: 4096 },
  default: taskDefaults.tags,
});
/** Any JSON object. The queue stores it uninterpreted. */
const AnyObject = Type.Unsafe<Record<string, unknown>>({ type: "object" });
const Extra = Type.Unsafe<Record<string, unknown>>({ type: "object", default: taskDefaults.extra });
const Scope = Type.String({ pattern: "^[ -~]*$" });

const exampleMetadata = {
  name: "build",
  description: "Builds the application.",
  owner: "dev@example.com",
  source: "https://git.example.com/app",
};
const TaskMetadata = exactly(
  {
    name: Type.String({ maxLength: 255 }),
    description: Type.String({ maxLength: 32768 }),
    owner: Type.String({ maxLength: 255 }),
    source: Type.Unsafe<string>({
      type: "string",
      maxLength: 4096,
      pattern: "^(https?://|ssh://|git@)",
      anyOf: [{ format: "uri" }, { format: "regex" }],
    }),
  },
  { examples: [exampleMetadata] },
);

const lists = {
  dependencies: Type.Array(Slugid, {
    default: taskDefaults.dependencies,
    maxItems: MAX_DEPENDENCIES,
    uniqueItems: true,
  }),
  requires: oneOfStrings(["all-completed", "all-resolved"], { default: taskDefaults.requires }),
  routes: Type.Array(Type.String({ minLength: 1, maxLength: 249 }), {
    default: taskDefaults.routes,
    maxItems: 64,
    uniqueItems: true,
  }),
  priority: PriorityName,
  retries: Type.Integer({ default: taskDefaults.retries, minimum: 0, maximum: 49 }),
};

/** A complete definition, with the defaults filled in. */
export const TaskDefinition = exactly({
  provisionerId: ProvisionerId,
  workerType: WorkerType,
  taskQueueId: TaskQueueId,
  schedulerId: SchedulerId,
  projectId: Type.Optional(ProjectId),
  taskGroupId: Slugid,
  ...lists,
  created: DateTime,
  deadline: DateTime,
  expires: Type.Optional(DateTime),
  scopes: Type.Array(Scope, { uniqueItems: false }),
  payload: AnyObject,
  metadata: TaskMetadata,
  tags: Tags,
  extra: Extra,
});
export type TaskDefinition = Static<typeof TaskDefinition>;

/** The definition that createTask accepts. Missing members get their defaults. */
export const TaskDefinitionRequest = exactly(
  {
    provisionerId: Type.Optional(ProvisionerId),
    workerType: Type.Optional(WorkerType),
    taskQueueId: Type.Optional(TaskQueueId),
    schedulerId: Type.Optional(SchedulerId),
    projectId: Type.Optional(ProjectId),
    taskGroupId: Type.Optional(Slugid),
    dependencies: Type.Optional(lists.dependencies),
    requires: Type.Optional(lists.requires),
    routes: Type.Optional(lists.routes),
    priority: Type.Optional(lists.priority),
    retries: Type.Optional(lists.retries),
    created: DateTime,
    deadline: DateTime,
    expires: Type.Optional(DateTime),
    scopes: Type.Optional(
      Type.Array(Scope, { uniqueItems: false, default: taskDefaults.scopes, maxItems: MAX_SCOPES }),
    ),
    payload: AnyObject,
    metadata: TaskMetadata,
    tags: Type.Optional(Tags),
    extra: Type.Optional(Extra),
  },
  {
    examples: [
      {
        taskQueueId: "proj-app/linux",
        created: "2026-01-31T12:00:00.000Z",
        deadline: "2026-02-01T12:00:00.000Z",
        payload: { command: [["sh", "-c", "make"]], maxRunTime: 3600 },
        metadata: exampleMetadata,
      },
    ],
  },
);
export type TaskDefinitionRequest = Static<typeof TaskDefinitionRequest>;

export const taskFile = named("v1/task.json", TaskDefinition);
export const createTaskRequestFile = named("v1/create-task-request.json", TaskDefinitionRequest);
export const metadataFile = named("v1/task-metadata.json", TaskMetadata);
