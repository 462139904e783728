// Reads the facts about Taskcluster's API, which are files of this repository.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PublishedApi } from "./compare.ts";

const read = (file: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, "facts", file), "utf8"));

// The files have these formats.
/** The names of Taskcluster's services. */
export const theirServices = read("services.json") as readonly string[];

/** Returns the API of one of Taskcluster's services. */
export const factsOf = (service: string): PublishedApi => read(`${service}.json`) as PublishedApi;
