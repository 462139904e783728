// `taskyard version`.
import { VERSION } from "../lib/version.ts";
import { exitStatus } from "./cli-error.ts";
import { command, jsonOption } from "./command.ts";
import { writeLine, writeJson } from "./io.ts";

export const versionCommand = command({
  name: "version",
  summary: "Print the version of this program.",
  args: [],
  options: { json: jsonOption },
  examples: [{ command: "taskyard version", says: "Print one line." }],
  run({ options, io }) {
    const { platform, arch, versions } = process;
    if (options.json) writeJson(io.stdout, { version: VERSION, node: versions.node, platform, arch });
    else writeLine(io.stdout, `taskyard ${VERSION} (Node ${versions.node}, ${platform} ${arch})`);
    return Promise.resolve(exitStatus.ok);
  },
});
