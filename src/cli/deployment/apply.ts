// `taskyard apply`: makes the clients, roles and worker pools of a server those that a folder describes.
import { resolve } from "node:path";
import { CliError, exitStatus } from "../cli-error.ts";
import { colorsFor } from "../colors.ts";
import { command, jsonOption, type Call } from "../command.ts";
import { explainError } from "../explain-error.ts";
import { writeJson, writeLine, writeLines, type Io } from "../io.ts";
import { connectTarget } from "../target.ts";
import type { Client } from "../../client/connect.ts";
import { confirm } from "./confirm.ts";
import { makeChanges, type Outcome } from "./make-changes.ts";
import type { Plan } from "./plan.ts";
import { refuseManyDeletions, refuseMissingScopes, refuseOwnDeletion } from "./refuse-plan.ts";
import { changesJson, madeText, planLines, planSummary, unownedNote } from "./show-plan.ts";
import { createTokenFile, type NewToken } from "./token-file.ts";

const options = {
  "dry-run": { type: "flag", summary: "Show what would change, and change nothing." },
  yes: { type: "flag", short: "y", summary: "Do not ask before changes." },
  "tokens-file": {
    type: "value",
    value: "FILE",
    summary: "Write the access tokens of new clients into this new file instead of printing them.",
  },
  "allow-many-deletions": {
    type: "flag",
    summary: "Delete more than a quarter of what the folder owns.",
  },
  json: { ...jsonOption, summary: "Print the changes as one JSON object." },
} as const;

export const applyCommand = command({
  name: "apply",
  summary: "Make the clients, roles and worker pools of a server those that a folder describes.",
  details: [
    "Reads the files *.yml and *.yaml in the folder and below it, compares them with the server, shows what differs, and changes " +
      "it. A second run has nothing to do. Only what the folder owns is deleted: ids that match a pattern of its member " +
      "`managed`. docs/guides/deployment-as-code.md describes the format.",
    "All problems in files, missing scopes and cycles of roles are reported before anything is changed. If a change fails, those " +
      "before it remain, and the next run continues.",
    "Asks before changes on a terminal. Elsewhere it needs --yes. Exits with 0 if the server has what the folder describes, or " +
      "with --dry-run if that could be determined.",
  ],
  args: [{ name: "DIR" }],
  options,
  examples: [
    { command: "taskyard apply --dry-run deployment", description: "Show what would change." },
    {
      command: "taskyard apply --yes --tokens-file tokens.jsonl deployment",
      description: "Change it, from a program.",
    },
  ],
  async run(call) {
    const { options: given, args, io } = call;
    // Imported here: the parser takes longer to load than most commands run.
    const { readDeployment } = await import("./read-folder.ts");
    const { planChanges, readServer } = await import("./plan.ts");
    const deployment = await readDeployment(args[0] ?? ".", io);
    const client = await connectTarget(io);
    const plan = planChanges(deployment, await readServer(client, deployment));
    if (!given.json) show(plan, io);
    if (plan.changes.length > 0 && !given["allow-many-deletions"]) refuseManyDeletions(plan);
    refuseOwnDeletion(plan, io.env["TASKCLUSTER_CLIENT_ID"]);
    if (plan.changes.length > 0) await refuseMissingScopes(client, plan);
    if (given["dry-run"] || plan.changes.length === 0) {
      if (given.json) writeJson(io.stdout, { changes: changesJson(plan.changes), made: 0, tokens: [] });
      return exitStatus.ok;
    }
    if (!given.yes && !(await mayChange(plan, io))) {
      writeLine(io.stderr, "nothing was changed");
      return exitStatus.failure;
    }
    return apply(client, plan, call);
  },
});

function show(plan: Plan, { stdout, stderr, env }: Io): void {
  writeLines(stdout, planLines(plan, colorsFor(stdout, env)));
  const note = unownedNote(plan);
  if (note !== undefined) writeLine(stderr, colorsFor(stderr, env).dim(note));
}

function mayChange({ changes }: Plan, io: Io): Promise<boolean> {
  if (io.stderr.isTTY !== true)
    throw new CliError(
      `${planSummary(changes)}: pass --yes to make these changes, or --dry-run to only see them`,
    );
  return confirm("Make these changes?", io);
}

async function apply(
  client: Client,
  plan: Plan,
  { options: given, io }: Call<typeof options>,
): Promise<number> {
  const path = given["tokens-file"];
  const createsClients = plan.changes.some(
    ({ kind, action }) => kind.noun === "client" && action === "create",
  );
  const file =
    path !== undefined && createsClients ? await createTokenFile(resolve(io.cwd, path)) : undefined;
  const tokens: NewToken[] = [];
  let outcome: Outcome;
  try {
    outcome = await makeChanges(client, plan.changes, {
      async onToken(clientId, accessToken) {
        if (file) await file.write({ clientId, accessToken });
        else if (given.json) tokens.push({ clientId, accessToken });
        else writeLine(io.stdout, `access token of ${clientId}, which is shown only now: ${accessToken}`);
      },
      onMade: (change) => given.json || writeLine(io.stdout, madeText(change)),
    });
  } finally {
    await file?.close();
  }
  const { made, failed } = outcome;
  if (given.json) writeJson(io.stdout, { changes: changesJson(plan.changes), made: made.length, tokens });
  else if (file) writeLine(io.stdout, `the access tokens of the new clients are in ${path}`);
  if (failed === undefined) return exitStatus.ok;
  const { kind, id, action } = failed.change;
  throw new CliError(
    `could not ${action} the ${kind.noun} ${id}: ${explainError(failed.error, io)}\n` +
      `${made.length} of ${plan.changes.length} changes were made. Run the command again to make the others.`,
    { cause: failed.error },
  );
}
