// Fills a database with clients and roles, with the tokens that a server can decrypt.
import type pg from "pg";
import { encryptWith } from "../src/server/core/encryption/cipher.ts";
import { readKeyFile } from "../src/server/core/encryption/key-file.ts";
import { localKeyFile } from "../src/server/local.ts";
import { tokenContext } from "../src/server/services/auth/clients/access-tokens.ts";

export interface Directory {
  readonly clients: number;
  readonly roles: number;
  /** How many of the roles end with `*` and have scopes with `<..>`. */
  readonly parameterized: number;
}

const CHUNK = 5_000;

/** The token of every client. */
export const clientToken = "bench-token-0123456789-0123456789";

export const clientIdOf = (n: number): string => `bench/client-${String(n).padStart(6, "0")}`;
/** A role with a parameter. */
export const repoRoleOf = (n: number): string => `repo:forge/org-${n}/*`;
const projectRoleOf = (n: number): string => `project:admin:p${n}`;

/** Each client has one role of each kind, so that most callers do not depend on a role that changes. */
export function scopesOfClient(n: number, { roles, parameterized }: Directory): string[] {
  return [
    `assume:repo:forge/org-${n % parameterized}/repo-${n}:branch:main`,
    `assume:${projectRoleOf(n % (roles - parameterized))}`,
    `queue:scheduler-id:s${n}`,
  ];
}

const scopesOfRepo = (n: number): string[] => [
  `queue:route:index.org-${n}.<..>`,
  `queue:create-task:low:org-${n}/<..>`,
  `secrets:get:org-${n}/<..>`,
  `object:upload:org-${n}:<..>/*`,
];

const scopesOfProject = (n: number): string[] => [
  `auth:create-client:project/p${n}/*`,
  `auth:update-role:project:p${n}:*`,
  `queue:create-task:high:p${n}/*`,
  `queue:cancel-task:p${n}/*`,
  `secrets:set:project/p${n}/*`,
  `worker-manager:update-worker-pool:p${n}/*`,
];

/** Fills the database of the server with this home folder. The server must start again to use them. */
export async function fillDirectory(db: pg.Client, home: string, directory: Directory): Promise<void> {
  const { clients, roles, parameterized } = directory;
  const [key] = (await readKeyFile(localKeyFile(home))).keys;
  if (key === undefined) throw new Error(`${home} has no encryption key`);
  await db.query("insert into encryption_keys (id, usable_id) values ($1, $1) on conflict do nothing", [
    key.id,
  ]);
  for (let from = 0; from < clients; from += CHUNK) {
    const some = Array.from({ length: Math.min(CHUNK, clients - from) }, (_, i) => from + i);
    await db.query(
      `insert into clients (client_id, description, access_token, scopes, expires, delete_on_expiration, created, last_modified,
         last_rotated)
       select id, 'A client of the benchmark.', token, scopes, now() + interval '1 year', true, now(), now(), now()
       from unnest($1::text[], $2::text[], $3::text[]) c (id, token, scopes)`,
      [
        some.map(clientIdOf),
        some.map((n) => encryptWith(key, clientToken, tokenContext(clientIdOf(n)))),
        some.map((n) => JSON.stringify(scopesOfClient(n, directory))),
      ],
    );
  }
  const all = Array.from({ length: roles }, (_, n) =>
    n < parameterized
      ? { id: repoRoleOf(n), scopes: scopesOfRepo(n) }
      : { id: projectRoleOf(n - parameterized), scopes: scopesOfProject(n - parameterized) },
  );
  await db.query(
    `insert into roles (role_id, description, scopes, created, last_modified)
     select id, 'A role of the benchmark.', scopes, now(), now() from unnest($1::text[], $2::text[]) r (id, scopes)`,
    [all.map(({ id }) => id), all.map(({ scopes }) => JSON.stringify(scopes))],
  );
  await db.query("vacuum (analyze) clients, roles");
}
