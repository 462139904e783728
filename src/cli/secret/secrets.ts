// `taskyard secret list`, `get`, `set` and `remove`.
import { readObject } from "../auth/read-object.ts";
import { changeCommand } from "../change-command.ts";
import { expiresOption, parseExpiry } from "../parse-expiry.ts";
import { exitStatus } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { localTime } from "../format.ts";
import { writeJson, writeLine } from "../io.ts";
import { limitOf, pageOptions } from "../page-options.ts";
import { firstElements } from "../paginate.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";

const args = [{ name: "NAME" }] as const;

export const secretListCommand = command({
  name: "secret list",
  summary: "List the names of secrets.",
  args: [],
  options: pageOptions,
  examples: [{ command: "taskyard secret list --all", description: "List all names." }],
  async run({ options, io }) {
    const limit = limitOf(options);
    const { secrets: service } = await connectTarget(io);
    const names = await firstElements(
      limit,
      (query) => service.list({ query }),
      (page) => page.secrets,
    );
    return writeList(io, options.json, {
      name: "secrets",
      ...names,
      row: (name) => [name],
      none: "there are no secrets",
    });
  },
});

export const secretGetCommand = command({
  name: "secret get",
  summary: "Print a secret, as JSON.",
  details: ["Prints the stored object. With --json, also when it expires, as the API does."],
  args,
  options: { json: jsonOption },
  examples: [{ command: "taskyard secret get web/key", description: "Print a secret." }],
  async run({ options, args: [name = ""], io }) {
    const { secrets } = await connectTarget(io);
    const reply = await secrets.get({ name });
    writeJson(io.stdout, options.json ? reply : reply.secret);
    return exitStatus.ok;
  },
});

export const secretSetCommand = command({
  name: "secret set",
  summary: "Create or replace a secret.",
  args: [...args, { name: "FILE" }],
  options: {
    expires: { ...expiresOption, summary: `${expiresOption.summary} Default: in a year.` },
    json: jsonOption,
  },
  details: [
    "FILE contains an object in YAML or JSON; - is standard input, so that the secret is in no file.",
  ],
  examples: [
    { command: "taskyard secret set web/key - --expires 90d", description: "Store an object for 90 days." },
  ],
  async run({ options, args: [name = "", file = ""], io }) {
    const expires = parseExpiry(options.expires ?? "1 year", Date.now());
    const secret = await readObject(file, io, undefined);
    const { secrets } = await connectTarget(io);
    await secrets.set({ name }, { secret, expires });
    if (options.json) writeJson(io.stdout, { name, expires });
    else writeLine(io.stdout, `secret ${name} stored until ${localTime(expires)}`);
    return exitStatus.ok;
  },
});

export const secretRemoveCommand = changeCommand({
  name: "secret remove",
  summary: "Delete a secret.",
  args,
  examples: [{ command: "taskyard secret remove web/key", description: "Delete a secret, if it exists." }],
  async change({ secrets }, name) {
    await secrets.remove({ name });
    return { name };
  },
  done: (name) => `secret ${name} deleted`,
});
