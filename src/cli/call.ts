// `taskyard call`: any method of the API.
import { connectTarget } from "./target.ts";
import { parseMethod } from "./auth/parse-method.ts";
import { readObject } from "./auth/read-object.ts";
import { exitStatus, UsageError } from "./cli-error.ts";
import { command } from "./command.ts";
import { writeJson } from "./io.ts";
import { InternalError } from "../lib/internal-error.ts";

export const callCommand = command({
  name: "call",
  summary: "Call any method of the API, and print its reply as JSON.",
  details: [
    "METHOD is a method such as `queue.task`, followed by its parameters, also those of the query, as NAME=VALUE. Prints nothing if the " +
      "method has no reply. docs/reference/api lists the methods.",
  ],
  args: [{ name: "METHOD" }, { name: "NAME=VALUE", optional: true, many: true }],
  options: {
    body: { type: "value", value: "FILE", summary: "The body of the call: a YAML or JSON file, or -." },
  },
  examples: [
    { command: "taskyard call queue.status taskId=ID", description: "Print the status of a task." },
    {
      command: "taskyard call auth.websocktunnelToken wstAudience=A wstClient=W",
      description: "Get a token for websocktunnel.",
    },
  ],
  async run({ options, args, io }) {
    const { key, service, endpoint, params: given } = parseMethod(args);
    const method = `${service.name}.${endpoint.name}`;
    const own = Object.keys(endpoint.params ?? {});
    const inQuery = Object.keys(endpoint.query ?? {});
    const unknown = Object.keys(given).find((name) => !own.includes(name) && !inQuery.includes(name));
    const known = [...own, ...inQuery].join(", ") || "none";
    if (unknown !== undefined)
      throw new UsageError(`${method} has no parameter ${unknown}; it takes ${known}`);
    const absent = own.find((name) => given[name] === undefined);
    if (absent !== undefined) throw new UsageError(`${method} needs ${absent}=VALUE`);
    if ((endpoint.body === undefined) !== (options.body === undefined))
      throw new UsageError(
        endpoint.body ? `${method} needs a body: use --body FILE` : `${method} has no body: omit --body`,
      );
    if (endpoint.reply === "blob")
      throw new UsageError(
        `${method} returns no JSON: use \`taskyard task log\` or \`task download\`, or an HTTP client`,
      );
    const body =
      options.body === undefined ? undefined : await readObject(options.body, io, endpoint.body?.schema);
    const client = await connectTarget(io);
    const call: unknown = Reflect.get(client[key], endpoint.name);
    if (typeof call !== "function") throw new InternalError(`the client has no method ${method}`);
    const pick = (names: readonly string[]) =>
      Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
    const reply: unknown = await Reflect.apply(call, undefined, [
      ...(endpoint.params ? [pick(own)] : []),
      ...(endpoint.body ? [body] : []),
      { query: pick(inQuery) },
    ]);
    if (reply !== undefined) writeJson(io.stdout, reply);
    return exitStatus.ok;
  },
});
