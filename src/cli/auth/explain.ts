// `taskyard auth explain`.
import type { ExplainReply, ExplainRequest } from "../../api/auth/explain.ts";
import type { ScopeExpression } from "../../lib/scopes/template.ts";
import { counted } from "../../lib/counted.ts";
import { exitStatus, messageOf, UsageError } from "../cli-error.ts";
import { colorsFor, type Colors } from "../colors.ts";
import { command, jsonOption } from "../command.ts";
import { writeJson, writeLines } from "../io.ts";
import { connectTarget } from "../target.ts";
import { parseMethod, scopeParams } from "./parse-method.ts";
import { readObject } from "./read-object.ts";
import { scopeOptions, scopesOf } from "./scope-options.ts";

export const explainCommand = command({
  name: "auth explain",
  summary: "Explain why a client may make a call or not, and which scopes are missing.",
  details: [
    "METHOD is a method of the API such as `queue.createTask`, followed by its parameters as NAME=VALUE. In its place, --requires " +
      "names scopes. Without --client, --role or --scope, the command explains your own scopes.",
    "Exits with 0 if the call is allowed, and with 1 if not.",
  ],
  args: [
    { name: "METHOD", optional: true },
    { name: "NAME=VALUE", optional: true, many: true },
  ],
  options: {
    body: { type: "value", value: "FILE", summary: "The body of the call: a YAML or JSON file, or -." },
    requires: {
      type: "value",
      value: "SCOPE",
      multiple: true,
      summary: "A required scope, or an expression in JSON. If repeated, all of them.",
    },
    client: { type: "value", value: "ID", summary: "Explain the scopes of this client." },
    role: { type: "value", value: "ID", summary: "Explain the scopes of this role." },
    ...scopeOptions,
    json: jsonOption,
  },
  examples: [
    {
      command: "taskyard auth explain --client ci/app --body task.yml queue.createTask taskId=ID",
      description: "Explain whether a client may create a task.",
    },
    {
      command: "taskyard auth explain --requires secrets:get:app/key",
      description: "Explain whether you may read a secret.",
    },
  ],
  async run({ options, args, io }) {
    const { client: clientId, role: roleId, requires } = options;
    const scopes = await scopesOf(options, io);
    const who = { ...(clientId !== undefined && { clientId }), ...(roleId !== undefined && { roleId }) };
    const of = { ...who, ...(scopes && { scopes }) };
    if (Object.keys(of).length > 1)
      throw new UsageError("--client, --role and --scope (or --scopes) exclude each other: use one of them");
    if (args.length > 0 === requires.length > 0)
      throw new UsageError("auth explain needs to know what: use either a METHOD or --requires SCOPE");
    if (options.body !== undefined && args.length === 0)
      throw new UsageError("--body is the body of a METHOD: name it, such as queue.createTask");
    const method = args.length > 0 ? parseMethod(args) : undefined;
    const body =
      options.body === undefined
        ? undefined
        : await readObject(options.body, io, method?.endpoint.body?.schema);
    const what: ExplainRequest = method
      ? {
          method: {
            service: method.service.name,
            name: method.endpoint.name,
            params: scopeParams(method),
            ...(body && { body }),
          },
        }
      : { expression: expressionOf(requires) };
    const { auth } = await connectTarget(io);
    const reply = await auth.explainScopes({ ...what, ...of });
    if (options.json) writeJson(io.stdout, reply);
    else {
      const subject = subjectOf(of);
      const call = method ? `call ${method.service.name}.${method.endpoint.name}` : undefined;
      writeLines(io.stdout, explanation(reply, subject, call, colorsFor(io.stdout, io.env)));
    }
    return reply.allowed ? exitStatus.ok : exitStatus.failure;
  },
});

function expressionOf(requires: readonly string[]): ScopeExpression {
  const parts = requires.map((text): ScopeExpression => {
    if (!text.startsWith("{")) return text;
    try {
      // The server checks what it contains.
      return JSON.parse(text) as ScopeExpression;
    } catch (error) {
      throw new UsageError(`--requires ${text}: must be a scope or JSON: ${messageOf(error)}`);
    }
  });
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { AllOf: parts };
}

function subjectOf({
  clientId,
  roleId,
  scopes,
}: Pick<ExplainRequest, "clientId" | "roleId" | "scopes">): string {
  if (clientId !== undefined) return `the client ${clientId}`;
  if (roleId !== undefined) return `a holder of the role ${roleId}`;
  return scopes ? "a holder of these scopes" : "you";
}

function explanation(
  { allowed, expression, proofs, omittedProofs = 0, missing, credentials }: ExplainReply,
  subject: string,
  call: string | undefined,
  colors: Colors,
): string[] {
  const may =
    call === undefined
      ? subject === "you"
        ? "have what is required"
        : "has what is required"
      : `may ${call}`;
  const not =
    call === undefined
      ? subject === "you"
        ? "do not have all that is required"
        : "does not have all that is required"
      : `may not ${call}`;
  const lines = [`${allowed ? colors.green("Yes:") : colors.red("No:")} ${subject} ${allowed ? may : not}.`];
  if (credentials === "disabled" || credentials === "expired")
    lines.push(
      colors.yellow(
        `But the client ${credentials === "expired" ? "has expired" : "is disabled"}, so all of its requests are refused.`,
      ),
    );
  if (expression === undefined) return [...lines, "The method requires no scopes: everyone may call it."];
  if (missing) {
    lines.push(
      "",
      `Missing ${counted(missing.length, "scope")}:`,
      ...missing.map((scope) => `  ${colors.red(scope)}`),
    );
    lines.push("A scope is a permission. Add what is missing to the client, or to a role that it has.");
  } else if (!allowed) lines.push("", "No scopes satisfy this requirement: it is a choice of nothing.");
  if (proofs.length > 0) lines.push("", allowed ? "Because:" : "What is required and not missing:");
  for (const { required, steps } of proofs) {
    lines.push(`  ${colors.green(required)}`);
    for (const [i, { scope, roleId }] of steps.entries())
      lines.push(
        `    ${reason(scope, roleId, subject)}${i === steps.length - 1 && scope !== required ? coverage(scope) : ""}`,
      );
  }
  if (omittedProofs > 0) lines.push(`  … and ${omittedProofs} more`);
  return lines;
}

const coverage = (scope: string): string =>
  scope === "*" ? ", which covers every scope" : `, which covers all that begins with ${scope.slice(0, -1)}`;

/** Returns why a scope is held: it was assigned, everyone has it, or a role grants it. */
function reason(scope: string, roleId: string | undefined, subject: string): string {
  if (roleId !== undefined) return `the role ${roleId} grants ${scope}`;
  if (scope === "assume:anonymous") return "everyone has the role anonymous";
  const holder = subject === "you" ? "you have" : `${subject} has`;
  return scope.startsWith("assume:") && !scope.endsWith("*")
    ? `${holder} the role ${scope.slice("assume:".length)} (${scope})`
    : `${holder} ${scope}`;
}
