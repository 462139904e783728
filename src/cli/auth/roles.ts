// `taskyard auth role list`, `show`, `create`, `update` and `delete`.
import { changeCommand } from "../change-command.ts";
import { exitStatus, UsageError } from "../cli-error.ts";
import { command, jsonOption } from "../command.ts";
import { oneLine } from "../format.ts";
import { writeJson, writeLine, writeLines } from "../io.ts";
import { limitOf, pageOptions } from "../page-options.ts";
import { firstElements } from "../paginate.ts";
import { connectTarget } from "../target.ts";
import { writeList } from "../write-list.ts";
import { describeRole } from "./describe.ts";
import {
  changedScopeOptions,
  changedScopes,
  changesScopes,
  scopeOptions,
  scopesOf,
} from "./scope-options.ts";

const args = [{ name: "ROLE_ID" }] as const;
const descriptionOption = { type: "value", value: "TEXT", summary: "What the role is for." } as const;

export const roleListCommand = command({
  name: "auth role list",
  summary: "List roles, each a set of scopes.",
  args: [],
  options: { ids: { type: "flag", summary: "List only the ids." }, ...pageOptions },
  examples: [{ command: "taskyard auth role list", description: "Show the first 50 roles." }],
  async run({ options, io }) {
    const none = "there are no roles";
    const limit = limitOf(options);
    const { auth } = await connectTarget(io);
    if (options.ids) {
      const ids = await firstElements(
        limit,
        (query) => auth.listRoleIds({ query }),
        (page) => page.roleIds,
      );
      return writeList(io, options.json, { name: "roleIds", ...ids, row: (roleId) => [roleId], none });
    }
    const roles = await firstElements(
      limit,
      (query) => auth.listRoles2({ query }),
      (page) => page.roles,
    );
    return writeList(io, options.json, {
      name: "roles",
      ...roles,
      header: ["ROLE", "SCOPES", "DESCRIPTION"],
      row: (role) => [role.roleId, String(role.scopes.length), oneLine(role.description)],
      none,
    });
  },
});

export const roleShowCommand = command({
  name: "auth role show",
  summary: "Show a role and its scopes.",
  args,
  options: { json: jsonOption },
  examples: [{ command: "taskyard auth role show 'project:*'", description: "Show a role." }],
  async run({ options, args: [roleId = ""], io }) {
    const { auth } = await connectTarget(io);
    const role = await auth.role({ roleId });
    if (options.json) writeJson(io.stdout, role);
    else writeLines(io.stdout, describeRole(role));
    return exitStatus.ok;
  },
});

export const roleCreateCommand = command({
  name: "auth role create",
  summary: "Create a role.",
  details: [
    "A client with the scope `assume:ROLE_ID` has the scopes of the role. If the id ends in a star, the role applies to every id " +
      "that begins so, and `<..>` in its scopes stands for the rest. `taskyard auth preview` shows what would change.",
  ],
  args,
  options: { description: descriptionOption, ...scopeOptions, json: jsonOption },
  examples: [
    {
      command: "taskyard auth role create 'project:*' --scope 'queue:create-task:low:<..>/*'",
      description: "Let each project create tasks in its own queues.",
    },
  ],
  async run({ options, args: [roleId = ""], io }) {
    const scopes = (await scopesOf(options, io)) ?? [];
    const { auth } = await connectTarget(io);
    const role = await auth.createRole({ roleId }, { description: options.description ?? "", scopes });
    if (options.json) writeJson(io.stdout, role);
    else writeLine(io.stdout, `role ${roleId} created`);
    return exitStatus.ok;
  },
});

export const roleUpdateCommand = command({
  name: "auth role update",
  summary: "Change the scopes or the description of a role.",
  details: ["What no option names stays as it is. `taskyard auth preview` shows what would change."],
  args,
  options: { description: descriptionOption, ...changedScopeOptions, json: jsonOption },
  examples: [
    {
      command: "taskyard auth role update 'project:*' --add-scope 'secrets:get:<..>/*'",
      description: "Let each project read its own secrets.",
    },
  ],
  async run({ options, args: [roleId = ""], io }) {
    const { description } = options;
    if (!changesScopes(options) && description === undefined)
      throw new UsageError("nothing to change: use --add-scope or another of the options");
    const { auth } = await connectTarget(io);
    const current = await auth.role({ roleId });
    const scopes = await changedScopes(options, current.scopes, io);
    const role = await auth.updateRole(
      { roleId },
      { description: description ?? current.description, scopes },
    );
    if (options.json) writeJson(io.stdout, role);
    else writeLine(io.stdout, `role ${roleId} updated`);
    return exitStatus.ok;
  },
});

export const roleDeleteCommand = changeCommand({
  name: "auth role delete",
  summary: "Delete a role.",
  details: ["`taskyard auth preview ROLE_ID --delete` shows who would lose which scopes."],
  args,
  examples: [
    { command: "taskyard auth role delete project:old", description: "Delete a role, if it exists." },
  ],
  async change({ auth }, roleId) {
    await auth.deleteRole({ roleId });
    return { roleId };
  },
  done: (roleId) => `role ${roleId} deleted`,
});
