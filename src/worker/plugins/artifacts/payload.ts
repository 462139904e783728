// The form of `payload.artifacts`, and what is wrong with entries beyond their form.
import Type from "typebox";
import type { Static } from "typebox";
import type { TaskInfo } from "../../task-context.ts";

const oneOf = <const T extends string>(...values: T[]) => Type.Unsafe<T>({ type: "string", enum: values });

const ArtifactEntry = Type.Object(
  {
    type: oneOf("file", "directory"),
    path: Type.String({ description: "Where the file or folder is, relative to the task's folder." }),
    name: Type.Optional(
      Type.String({ description: "Name of the artifact, or prefix of a folder's; default: path." }),
    ),
    expires: Type.Optional(
      Type.String({ format: "date-time", description: "Default: when the task expires." }),
    ),
    contentType: Type.Optional(
      Type.String({ maxLength: 255, description: "Default: by the file's extension." }),
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
    title: "Artifacts",
    description: "Files and folders to save when the commands are done, also when they failed.",
  }),
});

/** Why the queue would not take this artifact name, or undefined if it would. */
export function nameFault(name: string): string | undefined {
  if (name === "") return "is empty";
  if (!/^[ -~]+$/.test(name)) return "has characters other than printable ASCII";
  return name.length > 1024 ? "is longer than 1024 characters" : undefined;
}

// Dates are often computed twice, once for the task and once for its artifacts.
const toleranceMs = 1000;

/** Faults of the entries, as sentences; empty if there are none. */
export function faultsOf(
  entries: readonly ArtifactEntry[],
  info: TaskInfo,
  reserved: ReadonlySet<string>,
): readonly string[] {
  const deadline = Date.parse(info.definition.deadline);
  const end = Date.parse(info.expires);
  const faults: string[] = [];
  const files = new Map<string, string>();
  for (const [index, entry] of entries.entries()) {
    const at = `payload.artifacts[${index}]`;
    const name = entry.name ?? entry.path;
    // A folder may have an empty name: its files then stand at the top.
    const fault = entry.type === "directory" && name === "" ? undefined : nameFault(name);
    if (fault !== undefined) faults.push(`${at} has the name ${JSON.stringify(name)}, which ${fault}`);
    if (entry.type === "file" && reserved.has(name)) {
      faults.push(`${at} has the name "${name}", which the worker itself writes; choose another one`);
    }
    const twin = files.get(name);
    if (entry.type === "file") {
      if (twin !== undefined && twin !== entry.path) {
        faults.push(`${at} has the name "${name}" of another file of the list; give each a name of its own`);
      }
      files.set(name, entry.path);
    }
    if (entry.expires === undefined) continue;
    const expires = Date.parse(entry.expires);
    if (expires < deadline - toleranceMs || expires > end + toleranceMs) {
      faults.push(
        `${at}.expires is ${entry.expires}; it must lie between the task's deadline (${info.definition.deadline}) and ` +
          `its own expiry (${info.expires})`,
      );
    }
  }
  return faults;
}
