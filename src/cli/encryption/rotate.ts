// `taskyard encryption rotate`.
import { counted } from "../../lib/counted.ts";
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { configOption, configure, type Flags } from "../configuration.ts";
import { writeJson, writeLine } from "../io.ts";

export const encryptionRotateCommand = command({
  name: "encryption rotate",
  summary: "Replace the key that encrypts secrets and access tokens.",
  details: [
    "Adds a new key to the key file, encrypts all values again with it, and removes the old key. Servers run meanwhile: they read the " +
      "file again by themselves. If the command is interrupted, the next one finishes its work.",
    "Run it on the machine of `taskyard up`, or with the configuration of the servers where the key file is. Keys that are in " +
      "the configuration itself are not changed: see docs/guides/operating.md.",
  ],
  args: [],
  options: {
    home: {
      type: "value",
      value: "DIR",
      summary: "Home folder of the instance. Default: TASKYARD_HOME, else ~/.taskyard.",
    },
    config: configOption,
    json: jsonOption,
  },
  examples: [{ command: "taskyard encryption rotate", description: "Rotate the keys of the local server." }],
  async run({ options, io }) {
    const flags: Flags =
      options.home === undefined ? [] : [{ key: "home", value: options.home, flag: "--home" }];
    const { config } = await configure({ env: io.env, cwd: io.cwd, file: options.config, flags }, io.stderr);
    // oxlint-disable-next-line no-restricted-imports -- rotates the keys in the database, for which no server has a method
    const { rotateEncryptionKeys } = await import("../../server/index.ts");
    const { current, retired, values, resumed, file } = await rotateEncryptionKeys(config);
    if (options.json) writeJson(io.stdout, { current, retired, values, resumed });
    else {
      if (resumed && file !== undefined)
        writeLine(io.stdout, "an earlier rotation was finished; run this again for a new key");
      writeLine(io.stdout, `${counted(values, "value")} encrypted again; the key is now ${current}`);
      const keys = retired.join(", ");
      writeLine(
        io.stdout,
        file === undefined
          ? `remove from the configuration what is no longer needed: ${keys}`
          : `removed from ${file}: ${keys}. Backups from before need the old keys.`,
      );
    }
    return exitStatus.ok;
  },
});
