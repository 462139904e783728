// The paginated lists of the index service.
import type { Client } from "../../src/client/index.ts";
import { slugid } from "../../src/lib/slugid.ts";
import type { Db } from "../../src/server/core/db.ts";
import { sql } from "../../src/server/core/sql.ts";
import type { List } from "./paginated-list.ts";

/** Returns a function for each method that makes a separate list. `newName` returns a name that was not used before. */
export function indexLists(
  stack: () => { readonly client: Client; readonly database: { readonly db: Db } },
  newName: () => string,
): Readonly<Record<string, () => List>> {
  const insert = async (namespace: string): Promise<void> => {
    const expires = new Date(Date.now() + 3_600_000).toISOString();
    await stack().client.index.insertTask({ namespace }, { taskId: slugid(), rank: 0, data: {}, expires });
  };
  const ofPaths = {
    remove: (namespace: string) => stack().client.index.deleteTask({ namespace }),
    items: ({ tasks = [] }) => tasks,
    key: ({ namespace = "" }) => namespace,
  } satisfies Partial<List>;
  return {
    "index.listNamespaces": () => {
      const namespace = newName();
      return {
        params: { namespace },
        add: async () => {
          const name = newName();
          await insert(`${namespace}.${name}.x`);
          return name;
        },
        remove: (name) => stack().database.db.run(sql`delete from index_namespaces where name = ${name}`),
        items: ({ namespaces = [] }) => namespaces,
        key: ({ name = "" }) => name,
      };
    },
    "index.listTasks": () => {
      const namespace = newName();
      return {
        params: { namespace },
        add: async () => {
          const path = `${namespace}.${newName()}`;
          await insert(path);
          return path;
        },
        ...ofPaths,
      };
    },
    "index.findTasksAtIndex": () => {
      const indexes = Array.from({ length: 40 }, () => `${newName()}.a`).toSorted(() => Math.random() - 0.5);
      const remaining = [...indexes];
      return {
        body: { indexes },
        add: async () => {
          const path = remaining.pop() ?? "";
          await insert(path);
          return path;
        },
        ...ofPaths,
      };
    },
  };
}
