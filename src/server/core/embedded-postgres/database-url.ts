// The URL of a database of the embedded PostgreSQL.
import { databaseUser } from "./create-cluster.ts";

export const databaseUrl = (socketFolder: string, database: string): string =>
  `postgres://${databaseUser}@/${database}?host=${encodeURIComponent(socketFolder)}`;
