// Public API of the database's schema.
export { migrate } from "./migrate.ts";
