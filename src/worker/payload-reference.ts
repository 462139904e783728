// Renders the reference page of the worker's payload. Its statements about generic-worker's members are what the worker's own
// checks reply, so that the page cannot differ from the worker.
import { payloadFaults, payloadJsonSchema } from "./payload-faults.ts";
import { isRecord } from "./payload-part.ts";

const dependency = "fN1SbArXTPSVFNUvaOlinQ";
const archive = { taskId: dependency, artifact: "public/a.tar.gz" };

/** The members of the payload of generic-worker (multiuser, POSIX), each with a value that uses it. */
export const genericWorkerMembers: readonly (readonly [member: string, payload: object])[] = [
  ["command", {}],
  ["maxRunTime", {}],
  ["env", { env: { NAME: "value" } }],
  [
    "artifacts",
    { artifacts: [{ type: "file", path: "out", name: "public/out", contentType: "text/plain" }] },
  ],
  ["onExitStatus.retry", { onExitStatus: { retry: [75] } }],
  ["onExitStatus.purgeCaches", { onExitStatus: { purgeCaches: [1] } }],
  ["logs", { logs: { live: "public/live.log", backing: "public/backing.log" } }],
  ["mounts: folder from an artifact", { mounts: [{ content: archive, directory: "src", format: "tar.gz" }] }],
  ["mounts: archive in another format", { mounts: [{ content: archive, directory: "src", format: "zip" }] }],
  [
    "mounts: folder from a URL",
    { mounts: [{ content: { url: "https://x.org" }, directory: "a", format: "tar.gz" }] },
  ],
  ["mounts: single file", { mounts: [{ content: archive, file: "a" }] }],
  ["mounts: cache", { mounts: [{ cacheName: "c", directory: "a" }] }],
  ["osGroups", { osGroups: ["docker"] }],
  ["supersederUrl", { supersederUrl: "https://example.com" }],
  ["taskclusterProxyInterface", { taskclusterProxyInterface: "docker-bridge" }],
  ...[
    "backingLog",
    "chainOfTrust",
    "interactive",
    "liveLog",
    "loopbackAudio",
    "loopbackVideo",
    "resourceMonitor",
    "runTaskAsCurrentUser",
    "taskclusterProxy",
  ].map((flag) => [`features.${flag}`, { features: { [flag]: true } }] as const),
];

// Accepted members that change nothing. Their descriptions in the schema say so.
const withoutEffect = [
  "onExitStatus.purgeCaches",
  "supersederUrl",
  "taskclusterProxyInterface",
  "features.resourceMonitor",
];

/** Returns what the worker does with a member: `supported`, `accepted, without effect`, or why it refuses it. */
export function verdictOn(member: string, payload: object): string {
  const now = new Date(0).toISOString();
  const definition = { deadline: now, dependencies: [dependency], extra: {} };
  const [fault] = payloadFaults(
    { command: [["true"]], maxRunTime: 60, ...payload },
    { expires: now, definition },
  );
  if (fault !== undefined) return `refused: ${fault}`;
  return withoutEffect.includes(member) ? "accepted, without effect" : "supported";
}

/** Returns the content of `docs/reference/worker-payload.md`. */
export function renderPayloadReference(): string {
  const rows = genericWorkerMembers.map(([member, payload]) => [`\`${member}\``, verdictOn(member, payload)]);
  return `${introduction}

## Members

${table(["member", "type", "default", "meaning"], membersOf(payloadJsonSchema))}

## Members of generic-worker

The payload is that of generic-worker (multiuser, POSIX). This worker refuses what it does not support yet, with these words:

${table(["member", "this worker"], rows)}

Payloads of docker-worker, which have an \`image\`, are refused.
`;
}

const introduction = `# The payload of tasks

<!-- Generated from the schemas of the worker's engine and plugins by \`npm run generate\`. -->

\`task.payload\` tells the worker what to run. \`taskyard worker\` and \`taskyard up\` check it before anything runs: a payload with
a fault resolves the task as \`malformed-payload\`, and its log has the schema and the faults. \`taskyard graph run --dry-run\` and
\`taskyard task create\` make the same check before a task is created.

\`\`\`json
{
  "command": [["sh", "-c", "make && make test"]],
  "maxRunTime": 3600,
  "env": { "CI": "1" },
  "artifacts": [{ "type": "directory", "path": "out", "name": "public/out" }]
}
\`\`\`

A task fails if a command ends otherwise than with exit code 0; after signal n the code is 128 + n. \`retries\` of the task are for
runs whose worker is lost: a failing command is repeated only after the codes in \`onExitStatus.retry\`.
[The worker's README](../../src/worker/README.md) describes users, variables and processes of tasks.`;

/** Returns a row for each member, at any depth. */
function membersOf(schema: object, prefix = ""): string[][] {
  if (!("properties" in schema) || !isRecord(schema.properties)) return [];
  const required = "required" in schema && Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).flatMap(([name, member]) => {
    if (!isRecord(member)) return [];
    const path = `${prefix}${name}`;
    const items = isRecord(member["items"]) ? member["items"] : {};
    const fallback = "default" in member ? `\`${JSON.stringify(member["default"])}\`` : "";
    const row = [
      `\`${path}\``,
      typeOf(member),
      required.includes(name) ? "required" : fallback,
      textOr("", member["description"]),
    ];
    return [row, ...membersOf(member, `${path}.`), ...membersOf(items, `${path}[].`)];
  });
}

const textOr = (otherwise: string, value: unknown): string => (typeof value === "string" ? value : otherwise);

function typeOf(schema: Record<string, unknown>): string {
  if (Array.isArray(schema["enum"]))
    return schema["enum"].map((value) => `\`${String(value)}\``).join(" or ");
  if (schema["type"] === "array")
    return `list of ${isRecord(schema["items"]) ? typeOf(schema["items"]) : "any"}`;
  return textOr("any", schema["type"]);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
