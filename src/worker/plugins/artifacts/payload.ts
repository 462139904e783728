// The schema of `payload.artifacts`, and checks that a schema cannot express.
import { posix } from "node:path";
import Type from "typebox";
import type { Static } from "typebox";
import { withoutTrailingSlashes } from "../../../lib/trailing-slashes.ts";
import type { CheckedTask } from "../../payload-part.ts";

const oneOf = <const T extends string>(...values: T[]) => Type.Unsafe<T>({ type: "string", enum: values });

const ArtifactEntry = Type.Object(
  {
    type: oneOf("file", "directory"),
    path: Type.String({ description: "Where the file or folder is, relative to the task's folder." }),
    name: Type.Optional(
      Type.String({
        description: "Name of the artifact, or prefix of the names for a folder. Default: path.",
      }),
    ),
    expires: Type.Optional(
      Type.String({ format: "date-time", description: "Default: when the task expires." }),
    ),
    contentType: Type.Optional(
      Type.String({
        maxLength: 255,
        description: "Default: by the file's extension. Printable ASCII, such as text/plain; charset=utf-8.",
      }),
    ),
    contentEncoding: Type.Optional(oneOf("identity", "gzip")),
    optional: Type.Boolean({ default: false, description: "A missing file does not make the task fail." }),
  },
  { additionalProperties: false },
);
export type ArtifactEntry = Static<typeof ArtifactEntry>;

export const payloadSchema = Type.Object({
  artifacts: Type.Array(ArtifactEntry, {
    default: [],
    uniqueItems: true,
    // The queue's limit on the values of a body allows no more, but other queues may.
    maxItems: 10_000,
    title: "Artifacts",
    description: "Files and folders to save when the commands have ended, also after a failure.",
  }),
});

/** Returns why the queue would refuse this artifact name, or undefined if it would not. */
export function nameFault(name: string): string | undefined {
  if (name === "") return "is empty";
  if (!/^[ -~]+$/.test(name)) return "has characters other than printable ASCII";
  return name.length > 1024 ? "is longer than 1024 characters" : undefined;
}

/** Returns the name of the artifact of a file, or what the names of a folder's files begin with. */
export const artifactName = ({ name, path }: Pick<ArtifactEntry, "name" | "path">): string =>
  withoutTrailingSlashes(name ?? path);

/** Returns why nothing that a task can save has this path, or undefined. */
export function pathFault({ type, path }: Pick<ArtifactEntry, "type" | "path">): string | undefined {
  if (path.includes("\0")) return "has a NUL character; no path has one";
  if (path.startsWith("/")) return "is absolute; write it relative to the task's folder, such as out/file";
  const normal = posix.normalize(path);
  if (/^\.\.(\/|$)/.test(normal)) return "leads out of the task's folder; copy the file into it in a command";
  // normalize("") is "." too.
  if (type === "file" && /^\.\/?$/.test(normal))
    return 'is the task\'s folder, and not a file; name a file, or set "type" to "directory"';
  return undefined;
}

// Clients often compute dates twice, once for the task and once for its artifacts.
const toleranceMs = 1000;

/** Returns the faults of the entries as sentences. */
export function faultsOf(entries: readonly ArtifactEntry[], task: CheckedTask): readonly string[] {
  const { reservedArtifacts: reserved } = task;
  const deadline = Date.parse(task.definition.deadline);
  const end = Date.parse(task.expires);
  const faults: string[] = [];
  const files = new Map<string, string>();
  for (const [index, entry] of entries.entries()) {
    const at = `payload.artifacts[${index}]`;
    const wrongPath = pathFault(entry);
    if (wrongPath !== undefined)
      faults.push(`${at}.path is ${JSON.stringify(entry.path)}, which ${wrongPath}`);
    const name = artifactName(entry);
    // A folder may have an empty name: the names of its files then have no prefix.
    const fault = entry.type === "directory" && name === "" ? undefined : nameFault(name);
    if (fault !== undefined)
      faults.push(`${at} has the name ${JSON.stringify(name)}, which ${fault}; give it another "name"`);
    if (entry.type === "file" && reserved.has(name)) {
      faults.push(`${at} has the name "${name}", which the worker writes itself; choose another one`);
    }
    const { contentType } = entry;
    if (contentType !== undefined && !/^[!-~]([ -~]*[!-~])?$/.test(contentType)) {
      faults.push(
        `${at}.contentType is ${JSON.stringify(contentType)}; it is sent as a header, so it must be printable ASCII such as ` +
          '"text/plain; charset=utf-8"',
      );
    }
    const duplicate = files.get(name);
    if (entry.type === "file") {
      if (duplicate !== undefined && duplicate !== entry.path) {
        faults.push(`${at} has the same name "${name}" as another file; give each file a unique name`);
      }
      files.set(name, entry.path);
    }
    if (entry.expires === undefined) continue;
    const expires = Date.parse(entry.expires);
    if (expires < deadline - toleranceMs || expires > end + toleranceMs) {
      faults.push(
        `${at}.expires is ${entry.expires}; it must lie between the task's deadline (${task.definition.deadline}) and ` +
          `its own expiry (${task.expires})`,
      );
    }
  }
  return faults;
}
