// A directory of clients and roles that a test changes, like the view that follows a database.
import type { Role } from "../../src/lib/scopes/roles.ts";
import type { Client, ClientDirectory } from "../../src/server/services/auth/directory/client-directory.ts";
import { createRoleView, type ChangingRoles } from "../../src/server/services/auth/directory/role-view.ts";
import { createScopeView, type ScopeView } from "../../src/server/services/auth/directory/scope-view.ts";

export interface TestDirectory extends ClientDirectory {
  readonly roles: ChangingRoles;
  readonly view: ScopeView;
  /** Adds or replaces a client. */
  set(client: Client): void;
  remove(clientId: string): void;
}

export function testDirectory(clients: readonly Client[], roles: readonly Role[] = []): TestDirectory {
  const byId = new Map(clients.map((client) => [client.clientId, client]));
  const changing = createRoleView({ roles });
  return {
    roles: changing,
    view: createScopeView(changing),
    client: (clientId) => byId.get(clientId),
    set: (client) => void byId.set(client.clientId, client),
    remove: (clientId) => void byId.delete(clientId),
  };
}
