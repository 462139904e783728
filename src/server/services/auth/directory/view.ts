// The view of all clients and roles in the memory of this process, and the statements that bring it up to date.
import { parseJson } from "../../../core/json.ts";
import type { Db } from "../../../core/db.ts";
import type { KeyRing } from "../../../core/encryption/key-ring.ts";
import type { Monitor } from "../../../core/monitor.ts";
import type { Role } from "../../../../lib/scopes/roles.ts";
import { tokenContext } from "../clients/access-tokens.ts";
import type { Client, ClientDirectory } from "./client-directory.ts";
import { createRoleView } from "./role-view.ts";
import {
  viewedClients,
  viewedClientsById,
  viewedRoles,
  viewedRolesById,
  type ViewedClientRow,
  type ViewedRoleRow,
} from "./store.ts";

export interface ViewOptions {
  readonly db: Db;
  readonly keyRing: Pick<KeyRing, "decrypt">;
  readonly monitor: Monitor;
  /** Clients and roles of the configuration, which nothing in the database changes. */
  readonly fixedClients: readonly Client[];
  readonly fixedRoles: readonly Role[];
}

export interface DirectoryView extends ClientDirectory {
  /** Yields all clients. One that is added or removed meanwhile may be missing. */
  clients(): Iterable<Client>;
  /** Calls `listener` after a client was changed or removed. */
  onClientChange(listener: (clientId: string) => void): void;
  /** Reads all clients and roles. */
  load(): Promise<void>;
  /** Reads those with these ids. */
  reload(changed: {
    readonly clientIds: ReadonlySet<string>;
    readonly roleIds: ReadonlySet<string>;
  }): Promise<void>;
}

/** Rows per statement. Reading and decrypting as many takes ten milliseconds. */
const CLIENTS_PER_PAGE = 1_000;
const ROLES_PER_PAGE = 200;

export function createDirectoryView(options: ViewOptions): DirectoryView {
  const { db, keyRing, monitor, fixedClients, fixedRoles } = options;
  const fixed = new Map(fixedClients.map((client) => [client.clientId, client]));
  const clients = new Map<string, Client>();
  const roles = createRoleView({ fixed: fixedRoles });
  const listeners: ((clientId: string) => void)[] = [];

  function replace(clientId: string, client: Client | undefined): void {
    if (client) clients.set(clientId, client);
    else if (!clients.delete(clientId)) return;
    for (const listener of listeners) listener(clientId);
  }

  async function apply(row: ViewedClientRow): Promise<void> {
    const client = await viewed(row);
    const known = clients.get(row.client_id);
    if (client === undefined || known === undefined || !isSame(known, client)) replace(row.client_id, client);
  }

  /** Returns undefined if the token cannot be decrypted: the client then cannot sign, and all others can. */
  async function viewed(row: ViewedClientRow): Promise<Client | undefined> {
    const { client_id: clientId, disabled } = row;
    try {
      const accessToken = await keyRing.decrypt(row.access_token, tokenContext(clientId));
      return {
        clientId,
        accessToken,
        scopes: parseJson(row.scopes),
        expires: row.expires.getTime(),
        disabled,
      };
    } catch (err) {
      monitor.reportError(err, { clientId });
      return undefined;
    }
  }

  const applyRole = ({ role_id: roleId, scopes }: ViewedRoleRow): void =>
    roles.set({ roleId, scopes: parseJson(scopes) });

  async function loadClients(): Promise<void> {
    const found = new Set<string>();
    for (let after = "", isLast = false; !isLast;) {
      const rows = await viewedClients(db, after, CLIENTS_PER_PAGE);
      for (const row of rows) {
        found.add(row.client_id);
        await apply(row);
      }
      isLast = rows.length < CLIENTS_PER_PAGE;
      after = rows.at(-1)?.client_id ?? after;
    }
    for (const clientId of clients.keys()) if (!found.has(clientId)) replace(clientId, undefined);
  }

  async function loadRoles(): Promise<void> {
    const found = new Set<string>();
    for (let after = "", isLast = false; !isLast;) {
      const rows = await viewedRoles(db, after, ROLES_PER_PAGE);
      for (const row of rows) {
        found.add(row.role_id);
        applyRole(row);
      }
      isLast = rows.length < ROLES_PER_PAGE;
      after = rows.at(-1)?.role_id ?? after;
    }
    const gone = [...roles.values()].filter(({ roleId }) => !found.has(roleId));
    for (const { roleId } of gone) roles.delete(roleId);
  }

  return {
    *clients() {
      yield* fixed.values();
      for (const client of clients.values()) if (!fixed.has(client.clientId)) yield client;
    },
    client: (clientId) => fixed.get(clientId) ?? clients.get(clientId),
    roles,
    onClientChange: (listener) => void listeners.push(listener),
    async load() {
      await loadClients();
      await loadRoles();
    },
    async reload({ clientIds, roleIds }) {
      if (clientIds.size > 0) {
        const gone = new Set(clientIds);
        for (const row of await viewedClientsById(db, [...clientIds])) {
          gone.delete(row.client_id);
          await apply(row);
        }
        for (const clientId of gone) replace(clientId, undefined);
      }
      if (roleIds.size > 0) {
        const gone = new Set(roleIds);
        for (const row of await viewedRolesById(db, [...roleIds])) {
          gone.delete(row.role_id);
          applyRole(row);
        }
        for (const roleId of gone) roles.delete(roleId);
      }
    },
  };
}

/** Reports whether a client is as it was. A change of its description or of its encryption is none. */
const isSame = (a: Client, b: Client): boolean =>
  a.accessToken === b.accessToken &&
  a.expires === b.expires &&
  a.disabled === b.disabled &&
  a.scopes.length === b.scopes.length &&
  a.scopes.every((scope, i) => scope === b.scopes[i]);
