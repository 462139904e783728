// The schema of `payload.mounts`, and checks that a schema cannot express. It accepts generic-worker's read-only folder from an
// archive in an artifact; every other kind of mount is refused with a sentence that names what is not supported.
import Type, { type Static } from "typebox";
import type { TaskDefinition } from "../../../api/queue/task.ts";
import { nameFault } from "../artifacts/payload.ts";

const other = (what: string) => Type.Optional(Type.Unknown({ description: `${what} Not supported yet.` }));

const Mount = Type.Object(
  {
    content: Type.Optional(
      Type.Object(
        {
          taskId: Type.Optional(Type.String({ description: "A task among the task's dependencies." })),
          artifact: Type.Optional(
            Type.String({
              maxLength: 1024,
              description:
                "The name of an artifact of its latest run. Unless it starts with public/, the task's scopes must have `queue:get-artifact:<name>`.",
            }),
          ),
          sha256: Type.Optional(
            Type.String({ pattern: "^[0-9a-f]{64}$", description: "Hash of the archive." }),
          ),
          url: other("An archive at a URL."),
          namespace: other("An artifact that the index names."),
          raw: other("A text."),
          base64: other("Encoded content."),
        },
        { additionalProperties: false },
      ),
    ),
    directory: Type.Optional(
      Type.String({ description: "The folder to unpack to, relative to the task's folder." }),
    ),
    format: Type.Optional(Type.String({ description: "Of the archive: tar.gz." })),
    cacheName: other("A folder that is kept for later tasks."),
    file: other("A single file."),
  },
  { additionalProperties: false },
);
type Mount = Static<typeof Mount>;

export const payloadSchema = Type.Object({
  mounts: Type.Array(Mount, {
    default: [],
    maxItems: 100,
    title: "Mounts",
    description:
      "Archives that are unpacked before the first command. Supported: { content: { taskId, artifact }, directory, format: tar.gz }.",
  }),
});

/** A mount that this worker can make. */
export interface ArchiveMount {
  readonly taskId: string;
  readonly artifact: string;
  readonly sha256: string | undefined;
  readonly directory: string;
}

/** Returns the mounts, and the faults of those that this worker cannot make, as sentences. */
export function readMounts(
  mounts: readonly Mount[],
  definition: Pick<TaskDefinition, "dependencies">,
): { readonly archives: readonly ArchiveMount[]; readonly faults: readonly string[] } {
  const archives: ArchiveMount[] = [];
  const faults: string[] = [];
  for (const [index, mount] of mounts.entries()) {
    const at = `payload.mounts[${index}]`;
    const found = readMount(mount, definition);
    if (typeof found === "string") faults.push(`${at}${found}`);
    else archives.push(found);
  }
  return { archives, faults };
}

const supported =
  "this worker supports { content: { taskId, artifact }, directory, format: tar.gz } so far; fetch other files in a command";

/** Returns the mount, or its first fault as the rest of a sentence that begins with its place. */
function readMount(
  mount: Mount,
  { dependencies }: Pick<TaskDefinition, "dependencies">,
): ArchiveMount | string {
  const { content = {}, directory, format } = mount;
  if (mount.cacheName !== undefined)
    return ` is a cache (cacheName), which is not supported yet: ${supported}`;
  if (mount.file !== undefined) return ` is a single file (file), which is not supported yet: ${supported}`;
  const { taskId, artifact, sha256 } = content;
  const source = (["url", "namespace", "raw", "base64"] as const).find((name) => content[name] !== undefined);
  if (source !== undefined) return `.content.${source} is not supported yet: ${supported}`;
  if (taskId === undefined || artifact === undefined)
    return `.content lacks ${taskId === undefined ? "taskId" : "artifact"}: ${supported}`;
  const wrongName = nameFault(artifact);
  if (wrongName !== undefined)
    return `.content.artifact is ${JSON.stringify(artifact)}, which ${wrongName}; no artifact has such a name`;
  if (directory === undefined) return ` lacks directory, the folder to unpack to; "." is the task's folder`;
  if (format !== "tar.gz")
    return ` has the format ${JSON.stringify(format ?? null)}, which is not supported yet: ${supported}`;
  if (directory.startsWith("/") || directory.includes("\0") || directory.split("/").includes(".."))
    return `.directory is ${JSON.stringify(directory)}; it must be a path in the task's folder, without ".."`;
  if (!dependencies.includes(taskId))
    return `.content.taskId is ${JSON.stringify(taskId)}, which must also be among the task's dependencies, so that the artifact exists`;
  return { taskId, artifact, sha256, directory };
}
