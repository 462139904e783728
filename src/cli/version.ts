// `taskyard version`.
import { VERSION } from "../lib/version.ts";
import { exitStatus } from "./cli-error.ts";
import { command, jsonOption } from "./command.ts";
import { writeJson, writeLine } from "./io.ts";

export const versionCommand = command({
  name: "version",
  summary: "Print the version of Taskyard.",
  args: [],
  options: { json: jsonOption },
  examples: [{ command: "taskyard version", description: "Print the version, with that of Node." }],
  run({ options, io }) {
    const { platform, arch, versions } = process;
    if (options.json) writeJson(io.stdout, { version: VERSION, node: versions.node, platform, arch });
    else writeLine(io.stdout, `taskyard ${VERSION} (Node ${versions.node}, ${platform} ${arch})`);
    return Promise.resolve(exitStatus.ok);
  },
});
