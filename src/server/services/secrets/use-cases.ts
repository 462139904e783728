// The use cases of the secrets service.
import type { BodyOf, QueryOf, ReplyOf } from "../../../api/endpoint.ts";
import { secretsApi } from "../../../api/secrets/index.ts";
import type { Clock } from "../../../lib/clock.ts";
import { ApiError } from "../../../lib/errors.ts";
import { timestamp } from "../../core/timestamp.ts";
import { actorOf } from "../../core/audit.ts";
import type { Caller } from "../../core/caller.ts";
import type { Db } from "../../core/db.ts";
import { contextOf } from "../../core/encryption/encrypted-column.ts";
import type { KeyRing } from "../../core/encryption/key-ring.ts";
import { jsonObject, jsonOf, type Json } from "../../core/json.ts";
import { decodePage, pageOf } from "../../core/pagination.ts";
import { deleteSecret, listNames, readSecret, secretColumn, writeSecret } from "./store.ts";

export interface SecretsContext {
  readonly db: Db;
  readonly clock: Clock;
  readonly keyRing: KeyRing;
}

const { set, remove, get, list } = secretsApi.endpoints;
type Secret = ReplyOf<typeof get>;

const MAX_PAGE = 1000;

/** Returns the use cases. */
export const secretsUseCases = (ctx: SecretsContext) => ({
  set: setSecret(ctx),
  remove: removeSecret(ctx),
  get: getSecret(ctx),
  list: listSecrets(ctx),
});
export type SecretsUseCases = ReturnType<typeof secretsUseCases>;

const setSecret =
  ({ db, keyRing }: SecretsContext) =>
  async (caller: Caller, name: string, body: BodyOf<typeof set>): Promise<void> => {
    caller.authorize(set, { name });
    const plain = JSON.stringify(body.secret);
    const expires = new Date(body.expires).toISOString();
    await keyRing.writing(async () => {
      const secret = await keyRing.encrypt(plain, contextOf(secretColumn, name));
      await writeSecret(db, { name, secret, expires }, actorOf(caller));
    });
  };

const removeSecret =
  ({ db }: SecretsContext) =>
  async (caller: Caller, name: string): Promise<void> => {
    caller.authorize(remove, { name });
    await deleteSecret(db, name, actorOf(caller));
  };

const getSecret =
  (ctx: SecretsContext) =>
  async (caller: Caller, name: string): Promise<Json<Secret>> => {
    caller.authorize(get, { name });
    const row = await readSecret(ctx.db, name, timestamp(ctx));
    if (row === undefined)
      throw new ApiError(
        "ResourceNotFound",
        `There is no secret "${name}", or it has expired: check the name, or set it with \`secrets.set\`.`,
      );
    const plain = await ctx.keyRing.decrypt(row.secret, contextOf(secretColumn, name));
    // What was encrypted is the JSON text of an object.
    return jsonObject({
      secret: plain as Json<Secret["secret"]>,
      expires: jsonOf(row.expires.toISOString()),
    });
  };

const listSecrets =
  (ctx: SecretsContext) =>
  async (caller: Caller, query: QueryOf<typeof list>): Promise<ReplyOf<typeof list>> => {
    caller.authorize(list, {});
    const { after, limit } = decodePage(query, MAX_PAGE);
    const read = await listNames(ctx.db, timestamp(ctx), after, limit + 1);
    const { rows, more } = pageOf(read, limit, ({ name }) => name);
    return { secrets: rows.map(({ name }) => name), ...more };
  };
