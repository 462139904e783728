// Calls of every method of the contract, for tests that cover all of them, including methods added later. Methods whose
// schema alone hardly ever generates a meaningful body have an example here.
import fc from "fast-check";
import { anyText } from "./arbitrary-text.ts";
import type { Endpoint } from "../../src/api/endpoint.ts";
import { services } from "../../src/api/services.ts";
import type { Service } from "../../src/api/service.ts";
import { slugid } from "../../src/lib/slugid.ts";
import { valid } from "./arbitrary-json.ts";
import { createTask, taskDefinition } from "./factories.ts";
import type { RawRequest } from "./raw-call.ts";
import type { Stack } from "./stack.ts";

export interface Method {
  /** Such as `queue.createTask`. */
  readonly name: string;
  /** Where the service is mounted. */
  readonly prefix: string;
  readonly of: Endpoint;
}

const all: readonly Service[] = Object.values(services);

/** Every method except the stream of events, whose reply has no end. */
export const methods: readonly Method[] = all
  .flatMap((service) =>
    Object.values(service.endpoints).map((of) => ({
      name: `${service.name}.${of.name}`,
      prefix: `/api/${service.name}/${service.version}`,
      of,
    })),
  )
  .filter(({ name }) => name !== "events.connect");

/** Values of parameters that exist, by the name of the parameter. */
export type Known = Readonly<Record<string, readonly string[]>>;

/** Creates a pending task and a running one with an artifact, a client and a role. Returns the values of parameters that refer to them. */
export async function createKnown({ client }: Pick<Stack, "client">): Promise<Known> {
  const pending = await createTask(client, { schedulerId: "s" });
  const running = await createTask(client, { taskQueueId: "a/b" });
  const run = { taskId: running, runId: 0 };
  await client.queue.claimTask(run, { workerGroup: "g", workerId: "w" });
  await client.queue.createArtifact(
    { ...run, name: "public/a" },
    { storageType: "reference", expires: inAnHour(), contentType: "text/plain", url: "https://example.com/" },
  );
  await client.index.insertTask(
    { namespace: "a.b.c" },
    { taskId: running, rank: 1, data: {}, expires: inAnHour() },
  );
  await client.secrets.set({ name: "public/a" }, { secret: { a: "b" }, expires: inAnHour() });
  await client.auth.createClient({ clientId: "a/client" }, { expires: inAnHour(), description: "" });
  await client.auth.createRole({ roleId: "a/role" }, { scopes: ["a:b"], description: "" });
  for (const workerPoolId of ["test/queue", "a/b"])
    await client.workerManager.createWorkerPool({ workerPoolId }, goodPool);
  await client.workerManager.createWorker(
    { workerPoolId: "a/b", workerGroup: "g", workerId: "w" },
    goodWorker(),
  );
  return { ...knownNames, taskId: [pending, running], taskGroupId: [pending, running] };
}

/** The values that `createKnown` gives to parameters, except for ids of tasks. */
export const knownNames: Known = {
  clientId: ["static/taskcluster/queue", "a/client"],
  roleId: ["anonymous", "a/role"],
  entityType: ["client", "role"],
  entityId: ["a/client", "a/role"],
  runId: ["0", "1"],
  taskQueueId: ["test/queue", "a/b"],
  workerPoolId: ["test/queue", "a/b"],
  provisionerId: ["test", "a"],
  workerType: ["queue", "b"],
  workerGroup: ["g"],
  namespace: ["a", "a.b.c"],
  indexPath: ["a.b.c"],
  workerId: ["w"],
  name: ["public/a", "public/b"],
};

const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

const staticSecret = "0123456789_abcdefghijklmnopqrstuvwxyz-ABCDEF";
const goodPool = {
  providerId: "static",
  description: "a\0b",
  config: { workerConfig: { a: "b\0" } },
  owner: "a@example.com",
  emailOnError: false,
};
const goodWorker = () => ({ expires: inAnHour(), providerInfo: { staticSecret } });

const goodTask = (known: Known) => ({
  ...taskDefinition(),
  schedulerId: "s",
  taskGroupId: known["taskGroupId"]?.[0],
  dependencies: known["taskId"]?.slice(0, 1),
  requires: "all-resolved",
  routes: ["a"],
  priority: "low",
  retries: 1,
  scopes: ["b:*"],
  tags: { c: "d" },
  extra: { e: [] },
});

/** Shared by all objects, so that one call finishes the upload that another started. */
const uploadId = slugid();

/** Valid bodies. */
const examples: Readonly<Record<string, (known: Known) => unknown>> = {
  "queue.createTask": goodTask,
  "queue.defineTask": goodTask,
  "queue.createTasks": (known) => {
    const task = goodTask(known);
    const [first, second] = [slugid(), slugid()];
    const dependencies = [first, ...(task.dependencies ?? [])];
    return {
      tasks: [
        { taskId: second, task: { ...task, dependencies } },
        { taskId: first, task },
      ],
    };
  },
  "queue.claimWork": () => ({ workerGroup: "g", workerId: "w", tasks: 2, claimId: slugid() }),
  "queue.claimTask": () => ({ workerGroup: "g", workerId: "w" }),
  "queue.reportException": () => ({ reason: "worker-shutdown" }),
  "queue.createArtifact": () => ({
    storageType: "reference",
    expires: inAnHour(),
    contentType: "text/plain",
    url: "https://example.com/",
  }),
  "auth.createClient": () => ({ expires: inAnHour(), description: "a", scopes: ["a:*", "assume:a/role"] }),
  "auth.updateClient": () => ({ expires: inAnHour(), description: "b", scopes: ["a:*"] }),
  "auth.createRole": () => ({ description: "a", scopes: ["a:<..>", "b*"] }),
  "auth.updateRole": () => ({ description: "b", scopes: ["b*", "a:<..>"] }),
  "auth.explainScopes": () => ({
    method: { service: "queue", name: "status", params: { taskId: slugid() } },
    clientId: "a/client",
  }),
  "auth.previewRole": () => ({ roleId: "a/role", scopes: ["a:*", "assume:anonymous"] }),
  "auth.githubRepoToken": () => ({ repositories: ["a"], permissions: { contents: "read" } }),
  "object.createUpload": () => ({
    projectId: "p",
    uploadId,
    expires: inAnHour(),
    proposedUploadMethods: { dataInline: { contentType: "a/b", objectData: "YWJj" } },
  }),
  "object.finishUpload": () => ({ projectId: "p", uploadId }),
  "object.startDownload": () => ({ acceptDownloadMethods: { simple: true } }),
  "index.insertTask": (known) => ({
    taskId: known["taskId"]?.[0],
    rank: 1,
    data: { a: "\0" },
    expires: inAnHour(),
  }),
  "index.findTasksAtIndex": () => ({ indexes: ["a.b.c", "a.b.d", "\0.\0"] }),
  "worker-manager.createWorkerPool": () => goodPool,
  "worker-manager.updateWorkerPool": () => goodPool,
  "worker-manager.setWorkerPoolSecrets": () => ({ secrets: [staticSecret] }),
  "worker-manager.createWorker": goodWorker,
  "worker-manager.updateWorker": goodWorker,
  "worker-manager.reportWorkerError": () => ({
    workerGroup: "g",
    workerId: "w",
    kind: "a-kind",
    title: "a\0b",
    description: "c\0",
    extra: { code: "d\0" },
  }),
  "worker-manager.registerWorker": () => ({
    workerPoolId: "a/b",
    providerId: "static",
    workerGroup: "g",
    workerId: "w",
    workerIdentityProof: { staticSecret },
  }),
  "worker-manager.reregisterWorker": () => ({
    workerPoolId: "a/b",
    workerGroup: "g",
    workerId: "w",
    secret: staticSecret,
  }),
  "secrets.set": () => ({ secret: { a: ["b"] }, expires: inAnHour() }),
  "queue.declareWorker": () => ({ expires: inAnHour() }),
  // Already over, or no later call would get any work.
  "queue.quarantineWorker": () => ({ quarantineUntil: "2020-01-01T00:00:00.000Z", quarantineInfo: "a\0b" }),
  "queue.tasks": (known) => ({ taskIds: [...(known["taskId"] ?? []), slugid(), "\0"] }),
  "queue.statuses": (known) => ({ taskIds: [...(known["taskId"] ?? []), slugid(), "\0"] }),
};

/** Returns a valid body: an example, or a value of the schema. Returns undefined if the method takes none. */
export function exampleBody({ name, of }: Method, known: Known): unknown {
  const example = examples[name];
  if (example) return example(known);
  return of.body && fc.sample(valid(of.body.schema), { numRuns: 1, seed: 1 })[0];
}

/** Returns a value of a parameter: one of the running task and its artifact, or else one that matches its pattern. */
export function exampleParam({ of }: Method, name: string, known: Known): string {
  const pattern = of.params?.[name] ?? /a/;
  const existing = (known[name] ?? []).filter((value) => pattern.test(value));
  const example = name === "runId" || name === "name" ? existing[0] : existing.at(-1);
  return example ?? fc.sample(fc.stringMatching(pattern), { numRuns: 1, seed: 1 })[0] ?? "";
}

/** Returns the names of the path's parameters, in order. */
export const paramsOf = ({ of }: Method): string[] =>
  [...of.path.matchAll(/[:*](\w+)/g)].map(([, name = ""]) => name);

/** Returns the path with these values, percent-encoded. */
export const pathOf = ({ prefix, of }: Method, values: Readonly<Record<string, string>>): string =>
  prefix + of.path.replaceAll(/[:*](\w+)/g, (_, name: string) => encode(values[name] ?? ""));

/** Returns a valid request, except for these parameters. */
export function exampleRequest(
  method: Method,
  known: Known,
  params: Readonly<Record<string, string>> = {},
): RawRequest {
  const values = paramsOf(method).map((name) => [name, params[name] ?? exampleParam(method, name, known)]);
  const body = exampleBody(method, known);
  return {
    method: method.of.method,
    path: pathOf(method, Object.fromEntries(values)),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
}

/** Percent-encodes. Half a surrogate pair has no encoding, so its first byte is used. */
export const encode = (text: string): string =>
  encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, "\u00ed"));

/** Returns values of a parameter: mostly existing ones, or at least ones that match its pattern. */
export function paramValue({ of }: Method, name: string, known: Known): fc.Arbitrary<string> {
  const existing = known[name];
  const pattern = of.params?.[name];
  const matching = pattern === undefined ? fc.constant("a") : fc.stringMatching(pattern);
  return fc.oneof(
    { weight: 6, arbitrary: existing ? fc.constantFrom(...existing) : matching },
    { weight: 1, arbitrary: name.endsWith("Id") ? fc.constant("").map(() => slugid()) : matching },
    {
      weight: 2,
      arbitrary: fc.oneof(
        anyText({ minLength: 1, maxLength: 30 }),
        fc.constantFrom("99999999999999999999", "32768", "-1", "1e3", "\0", "..", "a/../b", "%2F", "é"),
      ),
    },
  );
}
