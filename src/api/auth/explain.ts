// Schemas of the methods that explain scopes.
import Type, { type Static } from "typebox";
import type { ScopeExpression } from "../../lib/scopes/template.ts";
import { exactly, named, oneOfStrings } from "../schema.ts";
import { ClientId, MAX_SCOPES, RoleId, scopes } from "./scopes.ts";

// Its parts are not in the schema, which would have to refer to itself.
const combination = (name: "AllOf" | "AnyOf") => ({
  type: "object",
  properties: { [name]: { type: "array", items: {} } },
  required: [name],
  additionalProperties: false,
});
const Expression = (description: string) =>
  Type.Unsafe<ScopeExpression>({
    oneOf: [{ type: "string" }, combination("AllOf"), combination("AnyOf")],
    description,
  });

const paramValue = { oneOf: [{ type: "string", maxLength: 4096 }, { type: "number" }, { type: "boolean" }] };

const MethodCall = exactly(
  {
    service: Type.String({ maxLength: 100, description: "The name of the service, such as `queue`." }),
    name: Type.String({ maxLength: 100, description: "The name of the method, such as `createTask`." }),
    params: Type.Optional(
      Type.Unsafe<Readonly<Record<string, string | number | boolean | readonly string[]>>>({
        type: "object",
        additionalProperties: {
          oneOf: [...paramValue.oneOf, { type: "array", items: { type: "string", maxLength: 4096 } }],
        },
        description:
          "Parameters of the path and the query, and parameters of the method's scopes that follow neither from these nor " +
          "from the body, such as `schedulerId` of cancelTask.",
      }),
    ),
    body: Type.Optional(Type.Unsafe<unknown>({ description: "The body of the call, if it has one." })),
  },
  { description: "A call of a method, whose required scopes are explained." },
);

export const explainRequestFile = named(
  "v1/explain-request.json",
  exactly(
    {
      method: Type.Optional(MethodCall),
      expression: Type.Optional(
        Expression(
          "A scope, or `AllOf` or `AnyOf` of such expressions, in place of `method`. At most 10,000 scopes, nested 10 deep.",
        ),
      ),
      clientId: Type.Optional(ClientId),
      roleId: Type.Optional(RoleId),
      scopes: Type.Optional(
        scopes({
          uniqueItems: false,
          maxItems: MAX_SCOPES,
          description:
            "A list of scopes, in place of a client or role. Without any of the three: those of the caller.",
        }),
      ),
    },
    {
      examples: [
        {
          method: { service: "queue", name: "status", params: { taskId: "lHP1sn7bSM6xNSb3gnwdWg" } },
          clientId: "project/app/ci",
        },
      ],
    },
  ),
);
export type ExplainRequest = Static<typeof explainRequestFile.schema>;

const Step = exactly({
  scope: Type.String(),
  roleId: Type.Optional(
    Type.String({
      description:
        "The role that grants the scope, because the scope of the step before assumes it. Absent: the scope was assigned.",
    }),
  ),
});

export const explainReplyFile = named(
  "v1/explain-response.json",
  exactly(
    {
      allowed: Type.Boolean(),
      expression: Type.Optional(
        Expression(
          "What is required, with all parameters filled in. Absent if the method requires no scopes.",
        ),
      ),
      proofs: Type.Array(
        exactly({
          required: Type.String(),
          steps: Type.Array(Step, {
            description:
              "From an assigned scope, by the roles that grant each following one, to the scope that covers the required one.",
          }),
        }),
        {
          description:
            "One for each required scope that is satisfied. Of an AnyOf, only one branch is proven.",
        },
      ),
      omittedProofs: Type.Optional(
        Type.Integer({
          description: "How many more scopes are satisfied, if their proofs are too long for a reply.",
        }),
      ),
      missing: Type.Optional(
        Type.Array(Type.String(), {
          description:
            "The scopes to add, if not `allowed`: of each AnyOf those of the branch that lacks the fewest. Absent if no scopes suffice.",
        }),
      ),
      credentials: Type.Optional(
        oneOfStrings(["valid", "disabled", "expired"], {
          description:
            "Whether the client can sign requests. A disabled or expired client cannot, whatever its scopes.",
        }),
      ),
    },
    {
      examples: [
        {
          allowed: true,
          expression: "queue:status:lHP1sn7bSM6xNSb3gnwdWg",
          proofs: [
            {
              required: "queue:status:lHP1sn7bSM6xNSb3gnwdWg",
              steps: [
                { scope: "assume:repo:git.example.com/app:branch:main" },
                { scope: "queue:status:*", roleId: "repo:git.example.com/app:*" },
              ],
            },
          ],
          credentials: "valid",
        },
      ],
    },
  ),
);
export type ExplainReply = Static<typeof explainReplyFile.schema>;

export const previewRoleRequestFile = named(
  "v1/preview-role-request.json",
  exactly({
    roleId: RoleId,
    scopes: Type.Unsafe<readonly string[] | null>({
      oneOf: [scopes({ maxItems: MAX_SCOPES }), { type: "null" }],
      description: "The scopes that the role would have. Null: it would be deleted.",
    }),
  }),
);
export type PreviewRoleRequest = Static<typeof previewRoleRequestFile.schema>;

const change = {
  gained: Type.Array(Type.String()),
  lost: Type.Array(Type.String()),
  omittedScopes: Type.Optional(
    Type.Integer({ description: "How many more scopes would be gained or lost." }),
  ),
};
const count = (description: string) => Type.Integer({ description });

export const previewRoleReplyFile = named(
  "v1/preview-role-response.json",
  exactly(
    {
      roleId: RoleId,
      change: oneOfStrings(["created", "updated", "deleted", "none"], {
        description: "What would happen to the role itself.",
      }),
      clients: Type.Array(exactly({ clientId: Type.String(), ...change }), {
        description: "The first 100 clients, by id, that the caller may read and whose scopes would change.",
      }),
      affectedClients: count("How many clients would gain or lose scopes."),
      hiddenClients: count("How many of these the caller may not read."),
      roles: Type.Array(exactly({ roleId: Type.String(), ...change }), {
        description:
          "The first 100 roles, by id, that the caller may read and whose holders would gain or lose scopes.",
      }),
      affectedRoles: count("How many roles would grant more or less, with the role itself."),
      hiddenRoles: count("How many of these the caller may not read."),
      note: Type.Optional(
        Type.String({ description: "Why the change would have no effect, if that is surprising." }),
      ),
    },
    {
      examples: [
        {
          roleId: "repo:git.example.com/app:*",
          change: "updated",
          clients: [
            { clientId: "project/app/ci", gained: ["queue:create-task:low:proj-app/linux"], lost: [] },
          ],
          affectedClients: 1,
          hiddenClients: 0,
          roles: [],
          affectedRoles: 1,
          hiddenRoles: 1,
        },
      ],
    },
  ),
);
export type PreviewRoleReply = Static<typeof previewRoleReplyFile.schema>;
